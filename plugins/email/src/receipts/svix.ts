import { createHmac, timingSafeEqual } from 'node:crypto';
import { type CallbackRequest, callbackRefused } from '@batchsender/core/plugin';

/** How far the time of a callback may be from ours: what Svix's own libraries allow. */
const TOLERANCE_MS = 300_000;

/** A callback that Svix signed, as far as its headers tell. */
export interface SvixMessage {
  /** The same for each attempt to deliver this callback. */
  readonly id: string;
}

/**
 * Verifies a callback that was signed by Svix
 * (https://docs.svix.com/receiving/verifying-payloads/how-manual): HMAC-SHA256 over id, time and
 * body; one of several signatures must fit, since there are two while a secret is changed.
 *
 * @param secret `whsec_` and base64, or base64 alone.
 * @throws CallbackRefusedError (401)
 */
export function verifySvix(
  { headers, body }: Pick<CallbackRequest, 'headers' | 'body'>,
  secret: string | undefined,
  nowMs: number = Date.now(),
): SvixMessage {
  if (secret === undefined) {
    throw callbackRefused(
      401,
      'no_secret',
      'Set webhookSecret in the connection before receipts are sent to it',
    );
  }
  const id = headers['svix-id'];
  const time = headers['svix-timestamp'];
  const signatures = headers['svix-signature'];
  if (!id || !time || !signatures) {
    throw callbackRefused(401, 'missing_signature', 'A svix- header is missing');
  }
  const ageMs = /^\d{1,12}$/.test(time) ? Math.abs(nowMs - Number(time) * 1_000) : Number.POSITIVE_INFINITY;
  if (ageMs > TOLERANCE_MS) {
    throw callbackRefused(
      401,
      'stale_signature',
      'The time of the callback is more than 5 minutes from ours',
    );
  }
  const expected = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(`${id}.${time}.`)
    .update(body)
    .digest();
  if (!signatures.split(' ').some((signature) => fits(signature, expected))) {
    throw callbackRefused(401, 'invalid_signature', 'No signature fits the webhookSecret of the connection');
  }
  return { id };
}

function fits(signature: string, expected: Buffer): boolean {
  const [version, encoded = ''] = signature.split(',', 2);
  const given = Buffer.from(encoded, 'base64');
  return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
}
