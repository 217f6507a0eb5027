import { createHash } from 'node:crypto';
import { callbackRefused, parseJson, type Suppression } from '@batchsender/core/plugin';
import { normalizeRecipient } from '../recipients.ts';

/** A JSON object of a provider: nothing in it is what it should be before it was looked at. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that must be an object; an empty one if it is not. */
export const fieldsAt = (fields: Fields, name: string): Fields => {
  const value = fields[name];
  return isFields(value) ? value : {};
};

/** A field that must be a text; undefined if it is not. */
export const textAt = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
};

/**
 * Reads the body of a callback.
 * @throws CallbackRefusedError (400) if it is no JSON object.
 */
export function readFields(body: Uint8Array | string): Fields {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const value = parseJson(text);
  if (!isFields(value)) throw callbackRefused(400, 'invalid_body', 'The body is no JSON object');
  return value;
}

/** A time that a provider wrote, as a part of a receipt. */
export function atOf(time: unknown): { at?: Date } {
  const at = typeof time === 'string' ? new Date(time) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? {} : { at };
}

/** A word of a provider, such as `MailboxFull`, as a code; undefined for what is no word. */
export function codeOfWord(word: unknown): string | undefined {
  if (typeof word !== 'string' || !/^[A-Za-z][A-Za-z0-9 _-]{0,60}$/.test(word)) return undefined;
  return word
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[ -]+/g, '_')
    .toLowerCase();
}

/** An id made of several parts, none of which can be read from it. */
export const hashedId = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32);

/** Suppressions of addresses as a provider reports them. */
export function suppressionsOf(addresses: readonly unknown[], reason: Suppression['reason']): Suppression[] {
  return addresses.flatMap((address) => {
    const recipient = typeof address === 'string' ? normalizeRecipient(address) : undefined;
    return recipient === undefined ? [] : [{ recipient, reason }];
  });
}
