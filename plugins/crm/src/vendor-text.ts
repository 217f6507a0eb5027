import { type JsonObject, type JsonValue, scrubText } from '@batchsender/core/plugin';
import { type CrmPayload, recordOf } from './payload.ts';

const MASK = '…';
const MAX_MESSAGE = 200;
/** Shorter values occur by chance: to mask each `a` would leave no sentence. */
const MIN_MASKED = 3;

/** What a provider says of a record that it refused. */
export interface Refusal {
  /** The vendor's code, such as `REQUIRED_FIELD_MISSING`. */
  readonly code?: string | undefined;
  /** The vendor's sentence; often quotes values. */
  readonly message?: string | undefined;
  /** The field that it is about. */
  readonly field?: string | undefined;
}

/** A vendor's code as ours: snake_case. Anything that is no plain code becomes `fallback`. */
export function codeOf(vendorCode: unknown, fallback: string): string {
  if (typeof vendorCode !== 'string' || !/^[A-Za-z][A-Za-z0-9_.-]{0,79}$/.test(vendorCode)) return fallback;
  const words = vendorCode.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const code = words
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join('_');
  return code === '' ? fallback : code;
}

/** Code, message and field of a refusal, without a value of the record. */
export function refusalOf(
  refusal: Refusal,
  payload: CrmPayload,
  fallback: string,
): { code: string; extra: { message?: string; data?: JsonObject } } {
  const field = fieldOf(refusal.field);
  const message = messageOf(refusal.message, payload);
  return {
    code: codeOf(refusal.code, fallback),
    extra: {
      ...(message === undefined ? {} : { message }),
      ...(field === undefined ? {} : { data: { field } }),
    },
  };
}

/** The name of a field as it may be kept: nothing but a name. */
export const fieldOf = (name: unknown): string | undefined =>
  typeof name === 'string' && /^[A-Za-z0-9_.]{1,100}$/.test(name) ? name : undefined;

/**
 * A vendor's sentence as it may be kept for ever: the values of the record, what is quoted and is no
 * field name, addresses and long numbers are masked, and it is cut to 200 characters.
 */
export function messageOf(text: unknown, payload: CrmPayload): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const names = new Set([
    'operation',
    payload.object,
    payload.externalIdField,
    ...namesIn(recordOf(payload)),
  ]);
  // A long text is cut first: what is masked in it is never shown.
  const unquoted = text
    .slice(0, 2_000)
    .replace(/(["'`])((?:(?!\1).){1,500})\1/g, (whole, _quote, inner: string) =>
      names.has(inner) ? whole : MASK,
    );
  const clean = maskValues(unquoted, payload)
    .replace(/[^\s@,;:<>()[\]]+@[^\s@,;:<>()[\]]+/g, MASK)
    .replace(/\+?\d[\d\s().-]{5,}\d/g, MASK);
  return scrubText(clean, MAX_MESSAGE);
}

function maskValues(text: string, payload: CrmPayload): string {
  const values = new Set<string>();
  for (const value of valuesIn(recordOf(payload)))
    if (value.length >= MIN_MASKED) values.add(value.toLowerCase());
  if (payload.id !== undefined) values.add(payload.id.toLowerCase());
  let clean = text;
  for (const value of [...values].toSorted((a, b) => b.length - a.length)) clean = mask(clean, value);
  return clean;
}

/** Without a regular expression: a record may hold anything. */
function mask(text: string, value: string): string {
  const lower = text.toLowerCase();
  // Some letters change their length in lower case; then positions do not fit, and all of it goes.
  if (lower.length !== text.length) return lower.includes(value) ? MASK : text;
  let clean = '';
  let from = 0;
  for (let at = lower.indexOf(value); at >= 0; at = lower.indexOf(value, from)) {
    clean += `${text.slice(from, at)}${MASK}`;
    from = at + value.length;
  }
  return clean + text.slice(from);
}

function* valuesIn(value: JsonValue): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number') yield String(value);
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* valuesIn(inner as JsonValue);
  }
}

function* namesIn(value: JsonValue): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* namesIn(inner as JsonValue);
  }
}
