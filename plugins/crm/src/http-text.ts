import { LostCallError, readText } from '@batchsender/core/plugin';

/** An answer, read to its end. */
export interface TextAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Reads an answer to its end, as UTF-8.
 * @throws LostCallError if it is longer than `limit` bytes.
 */
export async function readAnswer(response: Response, limit: number): Promise<TextAnswer> {
  const text = await readText(response.body, limit);
  if (text === undefined)
    throw new LostCallError(`The answer is longer than ${limit} bytes`, 'response_too_large');
  return { status: response.status, headers: Object.fromEntries(response.headers), text };
}

/** A JSON object; undefined if it is anything else. */
export const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

/** A list; empty if it is anything else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
