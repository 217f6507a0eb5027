import type { JobPayload } from '../../plugin/index.ts';

/**
 * Bytes of a payload as JSON. A size of no more than `enough` need not be exact: then it is the most that it can be,
 * for writing the JSON of every job only to measure it took as long as sending it.
 */
export function payloadBytes(payload: JobPayload, enough: number): number {
  const most = mostBytes(payload);
  return most <= enough ? most : Buffer.byteLength(JSON.stringify(payload));
}

/** An escaped control character, the longest form that a UTF-16 code unit can have. */
const UNIT_BYTES = 6;
/** Such as -1.2345678901234567e-300. */
const NUMBER_BYTES = 25;
const WORD_BYTES = 5;

function mostBytes(value: unknown): number {
  if (typeof value === 'string') return UNIT_BYTES * value.length + 2;
  if (typeof value === 'number') return NUMBER_BYTES;
  if (typeof value !== 'object' || value === null) return WORD_BYTES;
  // Brackets, and a comma for each member.
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const member of value) bytes += mostBytes(member) + 1;
  } else {
    for (const [name, member] of Object.entries(value))
      bytes += UNIT_BYTES * name.length + 3 + mostBytes(member) + 1;
  }
  return bytes;
}
