import { type JobResult, type JsonObject, succeeded } from '@batchsender/core/plugin';
import type { Message } from '../message/compose.ts';
import type { RecipientKind } from '../recipients.ts';
import type { Reply } from './reply.ts';
import { codeOf } from './reply-codes.ts';
import { verdict } from './verdict.ts';

/** A recipient that the server did not take. */
export interface Rejection {
  readonly address: string;
  readonly reply: Reply;
}

/** A rejection as the log keeps it: its place in the payload, never the address. */
interface RejectedPlace {
  readonly kind: RecipientKind;
  readonly index: number;
  readonly code: string;
  readonly smtpStatus: number;
}

/**
 * The result for a message of which some recipients were refused.
 *
 * `to` decides: if all of it was refused, so is the job, whoever got a copy. A repeat would send
 * to the others again, so what was only deferred is not tried again once somebody was accepted.
 */
export function judgeRecipients(
  { recipients, messageId }: Message,
  rejections: readonly Rejection[],
  data: JsonObject,
): JobResult {
  const replies = new Map(rejections.map(({ address, reply }) => [address, reply]));
  const rejected: RejectedPlace[] = [];
  const primary: Reply[] = [];
  let taken = 0;
  for (const { kind, index, mailbox } of recipients) {
    const reply = replies.get(mailbox.address);
    if (reply === undefined) {
      if (kind === 'to') taken++;
      continue;
    }
    rejected.push({ kind, index, code: codeOf(reply), smtpStatus: reply.status });
    if (kind === 'to') primary.push(reply);
  }
  if (rejected.length === 0) return succeeded(messageId, data);
  const accepted = recipients.length - rejected.length;
  const places = { accepted, rejected: rejected as unknown as JsonObject[] };
  if (taken > 0) return succeeded(messageId, { ...data, code: 'partly_rejected', ...places });
  const deciding = primary.find(({ status }) => status < 500) ?? primary[0];
  if (deciding === undefined) return succeeded(messageId, { ...data, code: 'partly_rejected', ...places });
  const result = verdict(deciding, 'rcpt');
  if (accepted === 0) return withData(result, recipients.length > 1 ? places : {});
  return {
    status: 'failed',
    code: codeOf(deciding),
    message: 'The server refused everybody in `to`, and took the message for others',
    data: { ...data, smtpStatus: deciding.status, ...places },
  };
}

function withData(result: JobResult, extra: JsonObject): JobResult {
  return result.status === 'failed' || result.status === 'retry'
    ? { ...result, data: { ...result.data, ...extra } }
    : result;
}
