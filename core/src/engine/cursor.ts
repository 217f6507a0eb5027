import { BatchSenderError } from './errors.ts';

/** A cursor is opaque to clients: a base64url text of what the next page begins behind. */
export function encodeCursor(value: string | number): string {
  return Buffer.from(String(value)).toString('base64url');
}

/** @throws BatchSenderError `invalid_cursor` */
export function decodeCursor(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const value = Buffer.from(cursor, 'base64url').toString();
  if (!pattern.test(value)) {
    throw new BatchSenderError(
      'invalid_cursor',
      'The cursor is not one that this list gave out: leave it away to begin anew',
    );
  }
  return value;
}
