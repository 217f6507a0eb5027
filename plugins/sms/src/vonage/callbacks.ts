import {
  type CallbackAnswer,
  type CallbackContext,
  type CallbackRequest,
  callbackRefused,
  type Receipt,
  type Suppression,
} from '@batchsender/core/plugin';
import { optOutAnswer, optOutOf } from '../opt-out.ts';
import { parseNumber } from '../phone-number.ts';
import { parseObject } from '../read-text.ts';
import type { VonageCredentials } from './credentials.ts';
import { codeIn, codeOf } from './error-codes.ts';
import { verifySignature } from './signature.ts';

/** Most bytes of a request that is believed to be Vonage's. A text has at most 1,600 characters. */
const MAX_BYTES = 65_536;

/** What the Messages API sends: a status, or a reply. Of each field only what is needed. */
interface Webhook {
  readonly message_uuid?: unknown;
  readonly status?: unknown;
  readonly client_ref?: unknown;
  readonly timestamp?: unknown;
  readonly to?: unknown;
  readonly from?: unknown;
  readonly text?: unknown;
  readonly error?: unknown;
}

/**
 * Takes the status of a message (https://developer.vonage.com/en/messages/concepts/sms-status-callbacks)
 * and replies (https://developer.vonage.com/en/api/messages, "Inbound Message").
 */
export function handle(
  request: CallbackRequest,
  { credentials }: CallbackContext<VonageCredentials>,
): CallbackAnswer {
  if (request.body.length > MAX_BYTES) {
    throw callbackRefused(400, 'body_too_large', `The body has more than ${MAX_BYTES} bytes`);
  }
  verifySignature(request, credentials, Date.now());
  const webhook: Webhook = parseObject(Buffer.from(request.body).toString('utf8'));
  const { message_uuid: id, status, client_ref: ref } = webhook;
  if (typeof id !== 'string' || id === '' || id.length > 100) {
    throw callbackRefused(400, 'not_a_message', 'The request is genuine, but is about no message');
  }
  if (status === undefined) {
    return optOutAnswer(optOutOf(String(webhook.text ?? '')), international(webhook.from));
  }
  const jobId = request.url.searchParams.get('job') ?? (typeof ref === 'string' ? ref : undefined);
  return jobId === undefined ? { events: [] } : receipt(webhook, { jobId, eventId: `${id}:${status}` });
}

function receipt(
  { status, timestamp, to, error }: Webhook,
  event: Pick<Receipt, 'jobId' | 'eventId'>,
): CallbackAnswer {
  const at = new Date(String(timestamp));
  const timed = Number.isNaN(at.getTime()) ? event : { ...event, at };
  if (status === 'delivered') return { events: [{ ...timed, kind: 'delivered' }] };
  if (status !== 'rejected' && status !== 'undeliverable') return { events: [] };
  const vonageCode = codeIn(error);
  const data =
    vonageCode === undefined ? { code: 'unknown_error' } : { code: codeOf(vonageCode), vonageCode };
  const suppress = suppressionOf(vonageCode, international(to));
  return {
    events: [{ ...timed, kind: 'bounced', data }],
    ...(suppress === undefined ? {} : { suppress: [suppress] }),
  };
}

/**
 * Of two codes the list of errors says that no message will ever arrive: the number is no longer active,
 * or its owner said STOP (https://developer.vonage.com/en/api-errors/messages).
 */
function suppressionOf(vonageCode: number | undefined, to: string): Suppression | undefined {
  const recipient = parseNumber(to);
  if (typeof recipient !== 'string') return undefined;
  if (vonageCode === 1190) return { recipient, reason: 'bounced' };
  return vonageCode === 1240 ? { recipient, reason: 'unsubscribed' } : undefined;
}

/** The API writes numbers without a plus sign. */
function international(number: unknown): string {
  const text = String(number ?? '');
  return text.startsWith('+') ? text : `+${text}`;
}
