import { isDeepStrictEqual } from 'node:util';
import { parsePointer } from '@batchsender/core/plugin';
import type { Answer } from './exchange.ts';
import type { WebhookPayload } from './payload.ts';

type SuccessBody = NonNullable<WebhookPayload['successBody']>;

/** Says in what way a body fails the check; undefined if it holds. Never repeats the body. */
export function bodyProblem(
  answer: Pick<Answer, 'body' | 'truncated'>,
  check: SuccessBody,
): string | undefined {
  const text = answer.body.toString('utf8');
  if (check.contains !== undefined && !text.includes(check.contains)) {
    return 'The body of the answer does not contain the text of successBody.contains';
  }
  if (check.jsonPointer === undefined && !Object.hasOwn(check, 'equals')) return undefined;
  if (answer.truncated) return 'The body of the answer is longer than 64 kB, too long to be checked';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'The body of the answer is not JSON';
  }
  const pointer = check.jsonPointer ?? '';
  return valueProblem(valueAt(value, pointer), pointer, check);
}

function valueProblem(value: unknown, pointer: string, check: SuccessBody): string | undefined {
  const place = pointer === '' ? 'The JSON of the answer' : `The value at ${pointer} of the answer`;
  if (value === undefined) return `${place} is missing`;
  if (Object.hasOwn(check, 'equals')) {
    return isDeepStrictEqual(value, check.equals)
      ? undefined
      : `${place} is not what successBody.equals asks for`;
  }
  return value === null || value === false ? `${place} is ${value}` : undefined;
}

/** The value at a JSON pointer (RFC 6901); undefined if there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  let current = value;
  for (const key of parsePointer(pointer)) {
    if (typeof current !== 'object' || current === null) return undefined;
    if (Array.isArray(current) && !/^(0|[1-9]\d*)$/.test(key)) return undefined;
    if (!Object.hasOwn(current, key)) return undefined;
    current = (current as Readonly<Record<string, unknown>>)[key];
  }
  return current;
}
