import type {
  CallbackAnswer,
  CallbackRequest,
  Callbacks,
  JsonObject,
  Receipt,
} from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import { JOB_TAG, jobOfTag } from '../receipts/job-tag.ts';
import {
  atOf,
  codeOfWord,
  type Fields,
  fieldsAt,
  isFields,
  readFields,
  suppressionsOf,
  textAt,
} from '../receipts/read.ts';
import { verifySvix } from '../receipts/svix.ts';
import type { ResendCredentials } from './credentials.ts';

/** What each event is a receipt of: https://resend.com/docs/dashboard/webhooks/event-types. The others are none. */
const KINDS: Readonly<Record<string, string>> = {
  'email.delivered': 'delivered',
  'email.bounced': 'bounced',
  'email.failed': 'bounced',
  'email.suppressed': 'bounced',
  'email.complained': 'complained',
  'email.opened': 'opened',
  'email.clicked': 'clicked',
};

/** Receipts of Resend, which Svix signs and delivers. */
export const callbacks: Callbacks<ResendCredentials> = {
  handle(request: CallbackRequest, { credentials }): CallbackAnswer {
    const { id } = verifySvix(request, credentials.webhookSecret);
    const event = readFields(request.body);
    const data = fieldsAt(event, 'data');
    const type = textAt(event, 'type') ?? '';
    const kind = lookup(KINDS, type);
    const jobId = jobOfTag(tagOf(data));
    if (kind === undefined || jobId === undefined) return { events: [] };
    const receipt: Receipt = {
      jobId,
      kind,
      eventId: id,
      ...atOf(event['created_at']),
      data: dataOf(type, data),
    };
    return { events: [receipt], suppress: suppressed(type, data) };
  },
};

/** Tags come as an object; one page of the documentation shows them as a list. */
function tagOf(data: Fields): unknown {
  const { tags } = data;
  if (!Array.isArray(tags)) return isFields(tags) ? tags[JOB_TAG] : undefined;
  return tags.find((tag: unknown) => isFields(tag) && tag['name'] === JOB_TAG)?.value;
}

function dataOf(type: string, data: Fields): JsonObject {
  const bounce = fieldsAt(data, 'bounce');
  const code = type === 'email.bounced' ? codeOfWord(bounce['type']) : lookup(REASONS, type);
  const detail = codeOfWord(bounce['subType']);
  return {
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined ? {} : { detail }),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  'email.failed': 'not_sent',
  'email.suppressed': 'suppressed_by_provider',
};

/** `data.to` has the recipients whom the event is about. */
function suppressed(type: string, data: Fields) {
  const to = Array.isArray(data['to']) ? data['to'] : [];
  if (type === 'email.complained') return suppressionsOf(to, 'complained');
  const permanent = codeOfWord(fieldsAt(data, 'bounce')['type']) === 'permanent';
  return type === 'email.bounced' && permanent ? suppressionsOf(to, 'bounced') : [];
}
