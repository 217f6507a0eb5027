import {
  type CallbackAnswer,
  type CallbackRequest,
  type Callbacks,
  callbackRefused,
  type Receipt,
} from '@batchsender/core/plugin';
import { jobOfMessageId } from '../message/message-id.ts';
import { atOf, hashedId, suppressionsOf } from '../receipts/read.ts';
import { checkSharedSecret } from '../receipts/shared-secret.ts';
import type { SmtpCredentials } from './credentials.ts';
import { type Dsn, type DsnRecipient, parseDsn } from './dsn.ts';
import { codeOf } from './reply-codes.ts';

/** Largest report that is read. Servers return the headers, or a message of ours. */
const MAX_BODY = 30_000_000;

/** Bounces that come back as messages, and that somebody forwards to us. */
export const callbacks: Callbacks<SmtpCredentials> = {
  async handle(request, { credentials }): Promise<CallbackAnswer> {
    checkSharedSecret(request, credentials.bounceSecret, 'bounceSecret');
    if (request.body.length > MAX_BODY) {
      throw callbackRefused(400, 'body_too_large', 'No bounce is as large as this');
    }
    const report = await parseDsn(messageOf(request));
    if (report === undefined) {
      throw callbackRefused(
        400,
        'no_delivery_status',
        'The message has no part message/delivery-status (RFC 3464)',
      );
    }
    return answerOf(report);
  },
};

/** A report may come as a whole message, or as its body with the type in the header of the request. */
function messageOf({ headers, body }: CallbackRequest): Uint8Array {
  const type = headers['content-type'] ?? '';
  if (!/^multipart\/report\b/i.test(type)) return body;
  return Buffer.concat([Buffer.from(`Content-Type: ${type.replace(/[\r\n]+/g, ' ')}\r\n\r\n`), body]);
}

function answerOf(report: Dsn): CallbackAnswer {
  const jobId = jobOf(report);
  // Without a job nobody knows whose report this is: nothing in it is believed.
  if (jobId === undefined) return { events: [] };
  const events = report.recipients.flatMap((recipient): Receipt[] => {
    const kind = KINDS[recipient.action];
    if (kind === undefined) return [];
    const eventId = hashedId(report.reportId, jobId, recipient);
    return [{ jobId, kind, eventId, ...atOf(report.date), data: dataOf(recipient) }];
  });
  const dead = report.recipients.filter(({ action, status }) => action === 'failed' && DEAD.has(status));
  return {
    events,
    suppress: suppressionsOf(
      dead.map(({ address }) => address),
      'bounced',
    ),
  };
}

/** A message that is late is not lost; one that was relayed or expanded is somebody else's now. */
const KINDS: Readonly<Partial<Record<DsnRecipient['action'], string>>> = {
  failed: 'bounced',
  delivered: 'delivered',
};

/** The address does not exist, whoever sends to it (RFC 3463, section 3.2; RFC 7505 for the last one). */
const DEAD: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);

const dataOf = ({ status }: DsnRecipient) => ({
  code: codeOf({ status: status.startsWith('5') ? 550 : 450, enhanced: status }),
  enhancedStatus: status,
});

/** By the id of the returned message, else by the address that the setting `envelopeFrom` gave the bounce. */
function jobOf({ messageId, to }: Dsn): string | undefined {
  const named = jobOfMessageId(messageId);
  if (named !== undefined) return named;
  for (const address of to) {
    const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d{1,10}(?=@)/.exec(address)?.[0];
    if (id !== undefined) return id;
  }
  return undefined;
}
