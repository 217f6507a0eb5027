import type { CallbackAnswer, JsonObject, Receipt, Suppression } from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import { JOB_TAG, jobOfTag } from '../receipts/job-tag.ts';
import {
  atOf,
  codeOfWord,
  type Fields,
  fieldsAt,
  isFields,
  suppressionsOf,
  textAt,
} from '../receipts/read.ts';

/** What an event tells, by its type. */
interface Reading {
  readonly kind: string;
  /** Name of the object with the details. */
  readonly part: string;
  readonly data?: (details: Fields) => JsonObject;
  readonly suppress?: (details: Fields) => Suppression[];
}

/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html. The others are no receipts. */
const READINGS: Readonly<Record<string, Reading>> = {
  Delivery: { kind: 'delivered', part: 'delivery' },
  Open: { kind: 'opened', part: 'open' },
  Click: { kind: 'clicked', part: 'click' },
  Bounce: {
    kind: 'bounced',
    part: 'bounce',
    data: ({ bounceType, bounceSubType }) => coded(bounceType, bounceSubType),
    suppress: ({ bounceType, bouncedRecipients }) =>
      bounceType === 'Permanent' ? suppressionsOf(addressesOf(bouncedRecipients), 'bounced') : [],
  },
  Complaint: {
    kind: 'complained',
    part: 'complaint',
    data: ({ complaintFeedbackType, complaintSubType }) => coded(complaintFeedbackType, complaintSubType),
    suppress: ({ complainedRecipients }) => suppressionsOf(addressesOf(complainedRecipients), 'complained'),
  },
  // SES found a virus after it had taken the message.
  Reject: { kind: 'bounced', part: 'reject', data: () => ({ code: 'rejected' }) },
  'Rendering Failure': { kind: 'bounced', part: 'failure', data: () => ({ code: 'rendering_failed' }) },
};

/** Reads an event. `messageId` is that of SNS, which stays the same when SNS repeats itself. */
export function eventAnswer(event: Fields, messageId: string): CallbackAnswer {
  const type = textAt(event, 'eventType') ?? textAt(event, 'notificationType') ?? '';
  const reading = lookup(READINGS, type);
  if (reading === undefined) return { events: [] };
  const details = fieldsAt(event, reading.part);
  const mail = fieldsAt(event, 'mail');
  const suppress = reading.suppress?.(details) ?? [];
  const tags = fieldsAt(mail, 'tags')[JOB_TAG];
  const jobId = jobOfTag(Array.isArray(tags) ? tags[0] : undefined);
  if (jobId === undefined) return { events: [], suppress };
  const time = details['timestamp'] ?? mail['timestamp'];
  const receipt: Receipt = {
    jobId,
    kind: reading.kind,
    eventId: messageId,
    ...atOf(time),
    data: reading.data?.(details) ?? {},
  };
  return { events: [receipt], suppress };
}

function coded(type: unknown, subType: unknown): JsonObject {
  const code = codeOfWord(type);
  const detail = codeOfWord(subType);
  return { ...(code === undefined ? {} : { code }), ...(detail === undefined ? {} : { detail }) };
}

const addressesOf = (recipients: unknown): unknown[] =>
  Array.isArray(recipients)
    ? recipients.map((one: unknown) => (isFields(one) ? one['emailAddress'] : undefined))
    : [];
