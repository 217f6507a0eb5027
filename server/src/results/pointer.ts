import { parsePointer } from '@batchsender/core/plugin';

/** Reads the value at one JSON pointer, undefined where there is none. */
export type PointerReader = (value: unknown) => unknown;

/** Makes the reader of a JSON pointer (RFC 6901). */
export function pointerReader(pointer: string): PointerReader {
  const keys = parsePointer(pointer);
  const [only = ''] = keys;
  if (keys.length === 1) return (value) => child(value, only);
  return (value) => keys.reduce(child, value);
}

// Own fields only: a pointer never reaches what every object has.
const child = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
