import type { CallbackAnswer, Callbacks, JsonObject, Receipt, Suppression } from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import { JOB_TAG } from '../receipts/job-tag.ts';
import {
  atOf,
  codeOfWord,
  type Fields,
  fieldsAt,
  hashedId,
  readFields,
  suppressionsOf,
  textAt,
} from '../receipts/read.ts';
import { checkSharedSecret } from '../receipts/shared-secret.ts';
import { normalizeRecipient } from '../recipients.ts';
import { bounceFate } from './bounce-types.ts';
import type { PostmarkCredentials } from './credentials.ts';

/** Receipts of Postmark, which signs nothing: they carry a secret. */
export const callbacks: Callbacks<PostmarkCredentials> = {
  handle(request, { credentials }): CallbackAnswer {
    checkSharedSecret(request, credentials.webhookSecret, 'webhookSecret');
    const record = readFields(request.body);
    const type = textAt(record, 'RecordType') ?? '';
    const read = lookup(RECORDS, type);
    return read?.(record) ?? { events: [] };
  },
};

/** By `RecordType`: https://postmarkapp.com/developer/webhooks/webhooks-overview. */
const RECORDS: Readonly<Record<string, (record: Fields) => CallbackAnswer>> = {
  Delivery: (record) => ({ events: receipt(record, 'delivered', record['DeliveredAt']) }),
  Open: (record) => ({ events: receipt(record, 'opened', record['ReceivedAt']) }),
  Click: (record) => ({ events: receipt(record, 'clicked', record['ReceivedAt']) }),
  SpamComplaint: (record) => ({
    events: receipt(record, 'complained', record['BouncedAt']),
    suppress: suppressionsOf([record['Email']], 'complained'),
  }),
  Bounce: bounce,
  SubscriptionChange: subscriptionChange,
};

/** A receipt, if the message was one of our jobs. */
function receipt(record: Fields, kind: string, time: unknown, data: JsonObject = {}): Receipt[] {
  const jobId = textAt(fieldsAt(record, 'Metadata'), JOB_TAG);
  if (jobId === undefined || !/^[0-9a-f-]{36}\.\d{1,10}$/.test(jobId)) return [];
  const { RecordType, ID, MessageID, Recipient, Email, OriginalLink } = record;
  // Of a bounce the ID is enough; other records have none of their own.
  const eventId =
    ID === undefined
      ? hashedId(RecordType, MessageID, Recipient ?? Email, time, OriginalLink)
      : `bounce-${String(ID)}`;
  return [{ jobId, kind, eventId, ...atOf(time), data }];
}

function bounce(record: Fields): CallbackAnswer {
  const { Type, Inactive, BouncedAt, Email } = record;
  const type = typeof Type === 'string' ? Type : '';
  const code = codeOfWord(type);
  const data = code === undefined ? {} : { code };
  switch (bounceFate(type, Inactive === true)) {
    case 'bounced':
      return { events: receipt(record, 'bounced', BouncedAt, data) };
    case 'dead':
      return {
        events: receipt(record, 'bounced', BouncedAt, data),
        suppress: suppressionsOf([Email], 'bounced'),
      };
    case 'complained':
      return {
        events: receipt(record, 'complained', BouncedAt, data),
        suppress: suppressionsOf([Email], 'complained'),
      };
    case 'unsubscribed':
      return { events: [], suppress: suppressionsOf([Email], 'unsubscribed') };
    case 'subscribed':
      return { events: [], lift: lifted(Email) };
    case 'none':
      return { events: [] };
  }
}

/** https://postmarkapp.com/developer/webhooks/subscription-change-webhook: no fact about a message. */
function subscriptionChange({ SuppressSending, SuppressionReason, Recipient }: Fields): CallbackAnswer {
  if (SuppressSending === false) return { events: [], lift: lifted(Recipient) };
  if (SuppressSending !== true) return { events: [] };
  const reason = lookup(REASONS, SuppressionReason) ?? 'unsubscribed';
  return { events: [], suppress: suppressionsOf([Recipient], reason) };
}

const REASONS: Readonly<Record<string, Suppression['reason']>> = {
  HardBounce: 'bounced',
  SpamComplaint: 'complained',
};

function lifted(address: unknown): string[] {
  const recipient = typeof address === 'string' ? normalizeRecipient(address) : undefined;
  return recipient === undefined ? [] : [recipient];
}
