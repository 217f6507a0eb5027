import { createHmac, randomBytes } from 'node:crypto';
import type { Settings } from '../api.ts';

/** Name of the setting that holds the key. */
const SETTING = 'suppression_key';
const KEY_BYTES = 32;
const HEX_DIGITS = 32;

/** The keyed hash of a recipient within a tenant and type: 32 hexadecimal digits. */
export type HashRecipient = (tenantId: string, type: string, recipient: string) => string;

/**
 * Makes the hash that recipients are known by: the first 16 bytes of HMAC-SHA256 (RFC 2104, section 5, allows
 * to cut it so) with a key of 32 random bytes, made once and kept in the settings. Tenant and type are hashed
 * too, so that lists of two tenants tell nothing about each other. What shows hashes only (an answer of the
 * API, a table without the settings) does not tell whom they mean; a dump of the whole database holds
 * the key, and with it addresses can be guessed one by one, as payloads can simply be read.
 */
export function recipientHasher(settings: Settings): () => Promise<HashRecipient> {
  let made: Promise<HashRecipient> | undefined;
  return () => {
    made ??= load(settings);
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
}

async function load(settings: Settings): Promise<HashRecipient> {
  const stored =
    (await settings.get(SETTING)) ??
    (await settings.setOnce(SETTING, randomBytes(KEY_BYTES).toString('hex')));
  const key = Buffer.from(String(stored), 'hex');
  if (key.length !== KEY_BYTES) throw new Error(`The setting ${SETTING} is not a key of ${KEY_BYTES} bytes`);
  return (tenantId, type, recipient) =>
    createHmac('sha256', key)
      .update(JSON.stringify([tenantId, type, recipient]))
      .digest('hex')
      .slice(0, HEX_DIGITS);
}
