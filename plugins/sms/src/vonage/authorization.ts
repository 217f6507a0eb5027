import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { VonageCredentials } from './credentials.ts';

/** How long a token is good, and for how long it is used, in milliseconds. */
const TOKEN_LIFE_MS = 900_000;
const TOKEN_USE_MS = 600_000;

/**
 * Makes the header `Authorization`: a token signed with the application's key, or key and secret of the
 * account (https://developer.vonage.com/en/getting-started/concepts/authentication).
 *
 * Answers a text if the credentials lack something.
 */
export function authorizationOf(credentials: VonageCredentials): ((nowMs: number) => string) | string {
  const { apiKey, apiSecret, applicationId, privateKey } = credentials;
  if (applicationId !== undefined && privateKey !== undefined) {
    const key = keyOf(privateKey);
    return key === undefined
      ? 'privateKey is no private key in PEM: copy the whole file'
      : tokens(applicationId, key);
  }
  if (applicationId !== undefined || privateKey !== undefined) {
    return 'The connection has half of an application: set applicationId and privateKey, or neither';
  }
  if (apiSecret === undefined) {
    return 'The connection has no way to log in: set applicationId and privateKey, or apiSecret';
  }
  const header = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;
  return () => header;
}

/** A token for many calls: to sign one for each would cost more than the rest of the call. */
function tokens(applicationId: string, key: KeyObject): (nowMs: number) => string {
  let header = '';
  let madeMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    if (nowMs - madeMs >= TOKEN_USE_MS || nowMs < madeMs) {
      header = `Bearer ${tokenOf(applicationId, key, nowMs)}`;
      madeMs = nowMs;
    }
    return header;
  };
}

function tokenOf(applicationId: string, key: KeyObject, nowMs: number): string {
  const claims = {
    application_id: applicationId,
    iat: Math.floor(nowMs / 1_000),
    exp: Math.floor((nowMs + TOKEN_LIFE_MS) / 1_000),
    jti: randomUUID(),
  };
  const content = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`;
  return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Line breaks often become `\n` on their way through an environment variable. */
function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'));
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}
