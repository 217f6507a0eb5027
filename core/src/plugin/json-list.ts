import { joinBytes } from './join-bytes.ts';

/**
 * A list as JSON in UTF-8, for the body of a request that carries many jobs: where it is larger than 128 KB, about
 * twice as quick as `JSON.stringify(values)`. What JSON has no value for is `null` in it, as there.
 */
export function jsonList(values: readonly unknown[]): Uint8Array<ArrayBuffer> {
  const texts = values.map((value) => JSON.stringify(value) ?? 'null');
  return joinBytes(texts, { start: '[', between: ',', end: ']' });
}
