import { createHash } from 'node:crypto';
import { BatchSenderError } from '../errors.ts';

/** A key of AES-256. */
export interface SecretKey {
  /** Stored beside each text that it sealed: 1 to 32 letters, digits, `-` or `_`. */
  readonly id: string;
  /** 32 bytes as base64, base64url or hex. */
  readonly key: string;
}

/** The keys that seal credentials at rest. */
export interface SecretKeys {
  /** Seals and opens. */
  readonly current: SecretKey;
  /** Open only: what they sealed is sealed anew by a rotation. */
  readonly previous?: readonly SecretKey[];
}

const KEY_BYTES = 32;
const ID = /^[\w-]{1,32}$/;

/** The bytes of a key. @throws BatchSenderError `secret_key_invalid`, without showing the key. */
export function keyBytes({ id, key }: SecretKey): Buffer {
  if (!ID.test(id)) throw invalid('The id of a secret key has 1 to 32 letters, digits, "-" or "_".');
  const bytes = decode(key);
  if (bytes?.length === KEY_BYTES) return bytes;
  throw invalid(
    `The secret key "${id}" must have 32 bytes, as base64 or hex: make one with "openssl rand -base64 32".`,
  );
}

/**
 * Reads `<key>` or `<id>:<key>`; several with commas, of which the first one seals. A key without an
 * id is named by a hash of it, so that its name stays when the list changes.
 * @throws BatchSenderError `secret_key_invalid`, without showing a key.
 */
export function parseSecretKeys(text: string): SecretKeys {
  const [current, ...previous] = text.split(',').map((part) => parseKey(part.trim()));
  if (current === undefined) throw invalid('The list of secret keys is empty.');
  return { current, previous };
}

function parseKey(text: string): SecretKey {
  const colon = text.indexOf(':');
  const key = { id: colon < 0 ? 'unnamed' : text.slice(0, colon), key: text.slice(colon + 1) };
  const bytes = keyBytes(key);
  return colon < 0 ? { ...key, id: fingerprint(bytes) } : key;
}

const fingerprint = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 8);

function decode(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

const invalid = (message: string): BatchSenderError => new BatchSenderError('secret_key_invalid', message);
