import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';

/**
 * Turns the text of a variable or a query parameter into the value that a schema takes: numbers
 * and booleans by their spelling, arrays and objects as JSON, lists of strings also with commas.
 * What fits nothing stays text, so that validation can name it. Nothing is rounded.
 */
export function coerce(schema: TSchema, text: string): unknown {
  const candidates = [
    () => text,
    () => numberOf(text),
    () => booleanOf(text),
    () => jsonOf(text),
    () => listOf(text),
  ];
  for (const candidate of candidates) {
    const value = attempt(candidate);
    if (value !== undefined && Value.Check(schema, value)) return value;
  }
  // A list, so that validation names the part that is wrong.
  return (schema as { type?: unknown }).type === 'array' ? listOf(text) : text;
}

const numberOf = (text: string): number | undefined =>
  /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;

/** True or false by the words true, 1, yes, on and false, 0, no, off in any case; undefined for another. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  return ['false', '0', 'no', 'off'].includes(word) ? false : undefined;
}

// Only containers: a quoted string or a spaced number is what it is.
const jsonOf = (text: string): unknown => (/^[[{]/.test(text) ? JSON.parse(text) : undefined);

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

function attempt(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** A parameter that was given more than once is a list, each part of which may be one with commas. */
function coerceList(schema: TSchema, parts: readonly unknown[]): unknown {
  const flat = parts.flatMap((part) => (typeof part === 'string' ? listOf(part) : [part]));
  return Value.Check(schema, flat) ? flat : parts;
}

function coerceValue(schema: TSchema, value: unknown): unknown {
  if (typeof value === 'string') return coerce(schema, value);
  return Array.isArray(value) ? coerceList(schema, value) : value;
}

/** Coerces each text of a record by the schema of its property; other values stay as they are. */
export function coerceRecord(
  properties: Readonly<Record<string, TSchema>>,
  record: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(record).map(([name, value]) => {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return [name, schema === undefined ? value : coerceValue(schema, value)] as const;
  });
  return Object.fromEntries(entries);
}
