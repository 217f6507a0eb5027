import { scrubText } from '@batchsender/core/plugin';
import type { WebhookPayload } from './payload.ts';

/** Shorter texts of a payload occur elsewhere by chance. */
const MIN_LENGTH = 6;
const MAX_MESSAGE = 200;
/** Characters in which texts of the payload are looked for. Both may be long: this bounds the work. */
const SEARCHED = 1_000;
/** As much as the engine keeps of a ref. */
const MAX_REF = 256;

const CODE = /^[a-z][a-z0-9 ._-]{0,63}$/i;
const E_MAIL = /\S+@\S+/g;

/** What a receiver says of a job, as far as it may be kept for ever. */
export interface ReceiverTexts {
  readonly code?: string;
  readonly message?: string;
  readonly ref?: string;
}

/**
 * The code (as snake_case), the message (one line without mail addresses, paths and queries) and
 * the ref of a result. What repeats a text of the payload is left out: receivers like to quote
 * what they refuse, and the event log must not hold it.
 */
export function receiverTexts(
  { code, message, ref }: { readonly [field: string]: unknown },
  payload: WebhookPayload,
): ReceiverTexts {
  if (code === undefined && message === undefined && ref === undefined) return {};
  const own = textsOf(payload);
  const keep = (name: keyof ReceiverTexts, said: unknown, text: string | undefined): ReceiverTexts => {
    if (text === undefined || text === '') return {};
    // Looked for in more than what is kept: the cut may leave half a name.
    const all = `${String(said).slice(0, SEARCHED)}\n${text}`.toLowerCase();
    return own.some((one) => all.includes(one)) ? {} : { [name]: text };
  };
  return {
    ...keep('code', code, isText(code) && CODE.test(code) ? snakeCase(code) : undefined),
    ...keep('message', message, isText(message) ? oneLine(message) : undefined),
    ...keep('ref', ref, refOf(ref)),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';

const snakeCase = (code: string): string =>
  code
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/_+$/, '');

/** Cut before it is searched: a message may be as long as the answer. */
const oneLine = (message: string): string =>
  scrubText(message.slice(0, 2 * MAX_MESSAGE), 2 * MAX_MESSAGE)
    .replace(E_MAIL, '…')
    .slice(0, MAX_MESSAGE);

function refOf(ref: unknown): string | undefined {
  if (Number.isSafeInteger(ref)) return String(ref);
  return isText(ref) && ref.length <= MAX_REF && /^[\x21-\x7e]+$/.test(ref) ? ref : undefined;
}

/** The longer texts of a payload, in lower case. Its method and settings tell nothing of a person. */
function textsOf({ url, headers, auth, body, variables }: WebhookPayload): string[] {
  const place = URL.parse(url);
  const parts = [url, place?.pathname, place?.search, headers, { ...auth, type: '' }, body, variables];
  return leaves(parts).filter((text) => text.length >= MIN_LENGTH);
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value.toLowerCase()];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leaves);
}
