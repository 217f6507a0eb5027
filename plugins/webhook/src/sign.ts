import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  sign,
} from 'node:crypto';

/** Makes the value of `webhook-signature`. */
export type Signer = (id: string, timestampSeconds: number, body: Uint8Array | undefined) => string;

/** Signs the bytes of one call. */
type Scheme = (id: string, timestampSeconds: number, body: Uint8Array | undefined) => string;

/** Begins a private key of the asymmetric scheme; the public key begins with `whpk_`. */
const PRIVATE_PREFIX = 'whsk_';
const SEED_BYTES = 32;
/** What comes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 10.3). */
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Signs by Standard Webhooks (github.com/standard-webhooks, "Signature scheme") over
 * `id.timestamp.body`. A secret `whsec_` and a key in base64 gives version `v1`, HMAC-SHA256; `whsk_`
 * and an Ed25519 key gives `v1a`; any other text is the key of `v1` itself, as UTF-8. With more than
 * one secret, the call carries a signature by each, so that a receiver may know the old one or the new one.
 * @throws Error if there is no key in a secret. The message does not repeat it.
 */
export function createSigner(secret: string, previous?: string): Signer {
  const schemes = [schemeOf(secret, 'signingSecret')];
  if (previous !== undefined) schemes.push(schemeOf(previous, 'previousSigningSecret'));
  return (id, timestampSeconds, body) =>
    schemes.map((scheme) => scheme(id, timestampSeconds, body)).join(' ');
}

/** What signs the calls of a connection; undefined if nothing does. */
export function signerOf(credentials: {
  readonly signingSecret?: string;
  readonly previousSigningSecret?: string;
}): Signer | undefined {
  const { signingSecret, previousSigningSecret } = credentials;
  if (signingSecret !== undefined) return createSigner(signingSecret, previousSigningSecret);
  if (previousSigningSecret === undefined) return undefined;
  throw new Error('previousSigningSecret is given without signingSecret: give the new secret too');
}

/**
 * The public key `whpk_…` that receivers check the calls with whose secret is this `whsk_…`.
 * @throws Error if it is no such secret.
 */
export function publicKeyOf(secret: string): string {
  const key = createPublicKey(privateKey(secret, 'The secret'));
  const { x = '' } = key.export({ format: 'jwk' });
  return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`;
}

function schemeOf(secret: string, field: string): Scheme {
  return secret.startsWith(PRIVATE_PREFIX) ? asymmetric(secret, field) : symmetric(secret, field);
}

function symmetric(secret: string, field: string): Scheme {
  const key = createSecretKey(parseKey(secret, field));
  return (id, timestampSeconds, body) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestampSeconds}.`);
    if (body !== undefined) hmac.update(body);
    return `v1,${hmac.digest('base64')}`;
  };
}

function asymmetric(secret: string, field: string): Scheme {
  const key = privateKey(secret, field);
  return (id, timestampSeconds, body) => {
    const head = Buffer.from(`${id}.${timestampSeconds}.`);
    const message = body === undefined ? head : Buffer.concat([head, body]);
    return `v1a,${sign(null, message, key).toString('base64')}`;
  };
}

/** The 32 bytes of the key (RFC 8032), or these and the public key after them, as libsodium writes it. */
function privateKey(secret: string, field: string): KeyObject {
  const bytes = secret.startsWith(PRIVATE_PREFIX) ? base64(secret.slice(PRIVATE_PREFIX.length)) : undefined;
  if (bytes?.length !== SEED_BYTES && bytes?.length !== 2 * SEED_BYTES)
    throw new Error(
      `${field} is no Ed25519 key: it must be ${PRIVATE_PREFIX} and 32 or 64 bytes in base64, copied whole`,
    );
  const der = Buffer.concat([PKCS8_HEADER, bytes.subarray(0, SEED_BYTES)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function parseKey(secret: string, field: string): Buffer {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : undefined;
  const key = encoded === undefined ? Buffer.from(secret, 'utf8') : base64(encoded);
  if (key === undefined)
    throw new Error(`${field} begins with whsec_, but what follows is not base64: copy the whole secret`);
  if (key.length === 0) throw new Error(`${field} is empty: give a secret, or leave the field out`);
  return key;
}

const base64 = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
