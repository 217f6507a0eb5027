import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { escapePointer, type JsonObject, type JsonValue, REDACTED, redact } from '../../plugin/index.ts';

/** Credentials without their secrets, and where those are. */
export interface PublicPart {
  readonly fields: JsonObject;
  /** JSON pointers of the secret fields that are set. */
  readonly secrets: readonly string[];
}

/** Takes out what the schema marks as secret. */
export function publicPart(credentials: JsonObject, schema: TSchema): PublicPart {
  const secrets: string[] = [];
  const fields = without(credentials, redact(credentials, schema) as JsonValue, '', (path) => {
    secrets.push(path);
  });
  return { fields: fields as JsonObject, secrets };
}

/** The texts of the secret fields, as they must not appear anywhere. */
export function secretTexts(credentials: JsonObject, schema: TSchema): string[] {
  const texts: string[] = [];
  without(credentials, redact(credentials, schema) as JsonValue, '', (_path, value) => {
    if (typeof value === 'string') texts.push(value);
  });
  return texts;
}

type OnSecret = (path: string, value: JsonValue) => void;

/** A copy of `value` without the places at which `redacted` differs. */
function without(value: JsonValue, redacted: JsonValue, path: string, onSecret: OnSecret): JsonValue {
  if (redacted === REDACTED) {
    onSecret(path, value);
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      without(item, (redacted as JsonValue[])[index] ?? null, `${path}/${index}`, onSecret),
    );
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, JsonValue> = {};
  for (const [name, field] of Object.entries(value as JsonObject)) {
    const other = (redacted as JsonObject)[name] ?? null;
    const at = `${path}/${escapePointer(name)}`;
    const copy = without(field as JsonValue, other as JsonValue, at, onSecret);
    if (other !== REDACTED) kept[name] = copy;
  }
  return kept;
}

/** The credentials with the defaults of the schema, as providers get them. */
export const withDefaults = (schema: TSchema, credentials: JsonObject): JsonObject =>
  Value.Default(schema, structuredClone(credentials)) as JsonObject;

/** JSON merge patch (RFC 7396): null takes a field away, objects are merged, anything else is put in place. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged: Record<string, JsonValue> = isObject(target) ? { ...(target as object) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else Object.defineProperty(merged, name, { ...PLAIN, value: mergePatch(own(merged, name), value) });
  }
  return merged;
}

// `__proto__` is a field like any other.
const PLAIN = { writable: true, enumerable: true, configurable: true };

const own = (object: Record<string, JsonValue>, name: string): JsonValue | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const isObject = (value: unknown): value is Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
