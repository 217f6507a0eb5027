import { createHmac, createSecretKey } from 'node:crypto';

/** Makes the value of `webhook-signature`. */
export type Signer = (id: string, timestampSeconds: number, body: Uint8Array | undefined) => string;

/**
 * Signs by Standard Webhooks (github.com/standard-webhooks, "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`, version `v1`. The secret is `whsec_` and the key in base64; any other text
 * is the key itself, as UTF-8.
 * @throws Error if there is no key in it. The message does not repeat the secret.
 */
export function createSigner(secret: string): Signer {
  const key = createSecretKey(parseKey(secret));
  return (id, timestampSeconds, body) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestampSeconds}.`);
    if (body !== undefined) hmac.update(body);
    return `v1,${hmac.digest('base64')}`;
  };
}

function parseKey(secret: string): Buffer {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : undefined;
  if (encoded !== undefined && !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw new Error(
      'signingSecret begins with whsec_, but what follows is not base64: copy the whole secret',
    );
  }
  const key = encoded === undefined ? Buffer.from(secret, 'utf8') : Buffer.from(encoded, 'base64');
  if (key.length === 0) throw new Error('signingSecret is empty: give a secret, or leave the field out');
  return key;
}
