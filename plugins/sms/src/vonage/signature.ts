import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type CallbackRequest, callbackRefused } from '@batchsender/core/plugin';
import { parseObject } from '../read-text.ts';
import type { VonageCredentials } from './credentials.ts';

/** A token older than this is refused, in seconds. It is made anew for each delivery. */
const MAX_AGE_S = 300;
/** How far ahead Vonage's clock may be, in seconds. */
const MAX_AHEAD_S = 60;

/** Claims of the token that we look at. */
interface Claims {
  readonly iat?: unknown;
  readonly exp?: unknown;
  readonly jti?: unknown;
  readonly api_key?: unknown;
  readonly payload_hash?: unknown;
}

/**
 * Believes a request of the Messages API, whose token is signed with the account's signature secret
 * (HMAC-SHA-256) and holds the hash of the body:
 * https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
 *
 * @throws what `callbackRefused` makes, if anything is missing, wrong or stale.
 */
export function verifySignature(
  { headers, body }: CallbackRequest,
  { apiKey, signatureSecret }: VonageCredentials,
  nowMs: number,
): void {
  const token = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (token === undefined) {
    throw callbackRefused(401, 'signature_missing', 'The header Authorization holds no bearer token');
  }
  if (signatureSecret === undefined) {
    const message = 'The connection has no signatureSecret to check signatures with: set it';
    throw callbackRefused(401, 'signature_secret_missing', message);
  }
  const claims = claimsOf(token, signatureSecret);
  if (claims.api_key !== undefined && claims.api_key !== apiKey) {
    throw callbackRefused(401, 'wrong_account', 'The token is of another account');
  }
  checkTime(claims, nowMs / 1_000);
  if (claims.payload_hash !== createHash('sha256').update(body).digest('hex')) {
    throw callbackRefused(401, 'invalid_payload_hash', 'The body is not the one that was signed');
  }
}

function claimsOf(token: string, signatureSecret: string): Claims {
  const [header = '', content = '', signature = '', ...rest] = token.split('.');
  const expected = createHmac('sha256', signatureSecret).update(`${header}.${content}`).digest();
  const given = Buffer.from(signature, 'base64url');
  const genuine = rest.length === 0 && given.length === expected.length && timingSafeEqual(given, expected);
  // The algorithm is ours to choose, not the token's.
  const { alg } = (genuine ? decoded(header) : {}) as { readonly alg?: unknown };
  if (alg !== 'HS256') throw callbackRefused(401, 'invalid_signature', 'The signature of the token is wrong');
  return decoded(content);
}

function checkTime({ iat, exp, jti }: Claims, nowS: number): void {
  if (typeof iat !== 'number' || typeof jti !== 'string' || jti === '') {
    throw callbackRefused(401, 'invalid_token', 'The token lacks iat or jti');
  }
  const expired = typeof exp === 'number' && exp < nowS;
  if (expired || iat < nowS - MAX_AGE_S || iat > nowS + MAX_AHEAD_S) {
    const message = `The token was not made in the last ${MAX_AGE_S / 60} minutes: check the clock of this machine`;
    throw callbackRefused(401, 'stale_signature', message);
  }
}

const decoded = (part: string): Claims => parseObject(Buffer.from(part, 'base64url').toString('utf8'));
