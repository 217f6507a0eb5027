import { LostCallError } from '@batchsender/core/plugin';

/** An answer of these APIs is a small JSON object; one of more bytes is none. */
const MAX_BYTES = 1_000_000;

/** The text of an answer. @throws LostCallError if it does not end in time to be one. */
export async function readText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new LostCallError('The answer is larger than allowed', 'response_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A text's JSON object; an empty one if it is none. An error would quote what it cannot parse. */
export function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
