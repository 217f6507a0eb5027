import { LostCallError, parseJson, readText } from '@batchsender/core/plugin';

/** An answer of these APIs is a small JSON object; one of more bytes is none. */
const MAX_BYTES = 1_000_000;

/** The JSON object of an answer. @throws LostCallError if it does not end in time to be one. */
export async function readObject(body: AsyncIterable<Uint8Array> | null): Promise<object> {
  const text = await readText(body, MAX_BYTES);
  if (text === undefined) throw new LostCallError('The answer is larger than allowed', 'response_too_large');
  return parseObject(text);
}

/** A text's JSON object; an empty one if it is none. */
export function parseObject(text: string): object {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? value : {};
}
