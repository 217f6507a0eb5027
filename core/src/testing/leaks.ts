import {
  type JobPayload,
  type JsonObject,
  type Module,
  REDACTED,
  redact,
  type TSchema,
} from '../plugin/index.ts';

/** Shorter strings occur by chance. */
export const MIN_LENGTH = 6;
const MAX_DEPTH = 8;

/** A text that must not be kept, with the place that it comes from. */
export interface Canary {
  readonly text: string;
  readonly from: string;
}

/** The values of the fields that a schema marks secret, of any length. */
export function secretsOf(value: unknown, schema: TSchema, from: string): Canary[] {
  const found: Canary[] = [];
  compare(value, redact(value, schema), from, found);
  return found;
}

function compare(value: unknown, redacted: unknown, at: string, found: Canary[]): void {
  if (redacted === REDACTED && value !== REDACTED) {
    found.push(...textsOf(value).map((text) => ({ text, from: at })));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      compare(item, (redacted as Record<string, unknown>)[name], `${at}.${name}`, found);
    }
  }
}

/** What of a payload must not be kept: its longer strings, paths of its URLs, and its recipients. */
export function personalData(module: Module, payload: JobPayload, harmless: readonly string[]): Canary[] {
  const all: Canary[] = [];
  for (const [name, value] of Object.entries(payload)) {
    for (const text of valuesOf(value)) {
      const parts = [text, ...urlParts(text)];
      all.push(...parts.map((part) => ({ text: part, from: `payload.${name}` })));
    }
  }
  for (const text of module.recipients?.(payload) ?? []) all.push({ text, from: 'recipients(payload)' });
  return all.filter(({ text }) => text.length >= MIN_LENGTH && !harmless.includes(text));
}

/** The first of the texts that occurs in what was kept. */
export function findLeak(canaries: readonly Canary[], kept: unknown): Canary | undefined {
  const texts = textsOf(kept).map((text) => text.toLowerCase());
  return canaries.find((canary) => texts.some((text) => text.includes(canary.text.toLowerCase())));
}

/** All strings in a value: names, values, and what an error says, causes included. */
function textsOf(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  const { message, cause } = value as { message?: unknown; cause?: unknown };
  const hidden = value instanceof Error ? [message, cause] : [];
  const entries = Object.entries(value).flat();
  return [...hidden, ...entries].flatMap((item) => textsOf(item, depth + 1));
}

/** Strings and numbers in a payload's field; names of fields are no personal data. */
function valuesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return textsOf(value);
  return Object.values(value).flatMap(valuesOf);
}

function urlParts(text: string): string[] {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  return url === null ? [] : [`${url.pathname}${url.search}`, url.password];
}

/** The credentials with every secret replaced by another one of the same length. */
export function wrongSecrets(credentials: JsonObject, schema: TSchema): JsonObject {
  return replace(credentials, redact(credentials, schema)) as JsonObject;
}

function replace(value: unknown, redacted: unknown): unknown {
  if (redacted === REDACTED) return typeof value === 'string' ? 'w'.repeat(value.length) : value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([name, item]) => [name, replace(item, (redacted as Record<string, unknown>)[name])] as const,
  );
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}
