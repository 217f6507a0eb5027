import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { BatchSenderError } from '../errors.ts';
import { keyBytes, type SecretKeys } from './secret-key.ts';

/** Seals texts for the database, each for one row. */
export interface Vault {
  /** Of the key that seals. */
  readonly keyId: string;
  /** Answers `v1.<key id>.<nonce>.<tag>.<ciphertext>`, the last three as base64url. */
  seal(text: string, rowId: string): string;
  /**
   * @throws BatchSenderError `secret_key_missing` if no key has the id, `secret_key_wrong` if the key with
   * that id is another one, or the text belongs to another row or was changed.
   */
  open(sealed: string, rowId: string): string;
}

const ALGORITHM = 'aes-256-gcm';
const VERSION = 'v1';
/** NIST SP 800-38D, 8.2: 96 bits; random ones are safe for 2^32 texts a key (8.3). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Makes the vault of these keys. @throws BatchSenderError `secret_key_invalid` */
export function createVault({ current, previous = [] }: SecretKeys): Vault {
  const keys = new Map<string, Buffer>();
  for (const key of [current, ...previous]) {
    if (keys.has(key.id)) {
      throw new BatchSenderError('secret_key_invalid', `Two secret keys have the id "${key.id}".`);
    }
    keys.set(key.id, keyBytes(key));
  }
  const sealing = keys.get(current.id) as Buffer;
  return {
    keyId: current.id,
    seal(text, rowId) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, sealing, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(boundTo(current.id, rowId));
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const parts = [nonce, cipher.getAuthTag(), ciphertext].map((part) => part.toString('base64url'));
      return [VERSION, current.id, ...parts].join('.');
    },
    open: (sealed, rowId) => open(keys, sealed, rowId),
  };
}

/** The row is part of what is authenticated: a text that was copied to another row does not open there. */
const boundTo = (keyId: string, rowId: string): Buffer => Buffer.from(`${VERSION}.${keyId}.${rowId}`);

function open(keys: ReadonlyMap<string, Buffer>, sealed: string, rowId: string): string {
  const [version, keyId = '', nonce = '', tag = '', ciphertext = ''] = sealed.split('.');
  const key = keys.get(keyId);
  if (version !== VERSION || key === undefined) {
    throw new BatchSenderError(
      'secret_key_missing',
      `The credentials of ${rowId} are sealed with the secret key "${keyId}", which this process does not have. ` +
        'Add it to the list of keys (BATCHSENDER_SECRET_KEY), behind the first one.',
    );
  }
  try {
    const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(nonce, 'base64url'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(keyId, rowId));
    decipher.setAuthTag(Buffer.from(tag, 'base64url'));
    const text = decipher.update(Buffer.from(ciphertext, 'base64url'));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch (cause) {
    throw wrongKey(keyId, rowId, cause);
  }
}

const wrongKey = (keyId: string, rowId: string, cause: unknown): BatchSenderError =>
  new BatchSenderError(
    'secret_key_wrong',
    `The secret key "${keyId}" does not open the credentials of ${rowId}: it is not the key that sealed them, ` +
      'or they were changed. Give the right key (BATCHSENDER_SECRET_KEY), or set the credentials again.',
    { cause },
  );

/** A vault of a process without keys: it keeps nothing. */
export function closedVault(): Vault {
  const refuse = (): never => {
    throw new BatchSenderError(
      'secret_key_missing',
      'Credentials are stored only encrypted, and this process has no key for it. ' +
        'Set BATCHSENDER_SECRET_KEY (embedded: secretKeys), for example to what "openssl rand -base64 32" prints.',
    );
  };
  return {
    get keyId() {
      return refuse();
    },
    seal: refuse,
    open: refuse,
  };
}
