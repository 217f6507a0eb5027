import type { TSchema } from 'typebox';
import { SECRET } from './schema.ts';

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

type Schema = { readonly [keyword: string]: unknown };

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A copy of a value in which every field that the schema marks with `secret()` is replaced by
 * `[redacted]`, at any depth. In unions a field counts as secret if any branch says so.
 */
export function redact(value: unknown, schema: TSchema): unknown {
  return redactBy(value, [schema as Schema]);
}

function redactBy(value: unknown, schemas: readonly Schema[]): unknown {
  const all = schemas.flatMap(branches);
  if (value === undefined || all.length === 0) return value;
  if (all.some((schema) => schema[SECRET] === true)) return value === null ? null : REDACTED;
  if (Array.isArray(value)) return value.map((item, index) => redactBy(item, itemSchemas(all, index)));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, redactBy(field, fieldSchemas(all, name))]),
  );
}

/** A schema with all that its unions and intersections may say. */
function branches(schema: Schema): Schema[] {
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => listOf(schema[keyword]));
  return [schema, ...inner.flatMap(branches)];
}

function itemSchemas(schemas: readonly Schema[], index: number): Schema[] {
  return schemas.flatMap((schema) => {
    const fixed = listOf(schema['prefixItems'])[index];
    return [fixed, schema['items']].filter(isObject);
  });
}

function fieldSchemas(schemas: readonly Schema[], name: string): Schema[] {
  return schemas.flatMap((schema) => {
    const own = isObject(schema['properties']) && Object.hasOwn(schema['properties'], name);
    if (own) return [(schema['properties'] as Schema)[name]].filter(isObject);
    const patterns = isObject(schema['patternProperties']) ? Object.entries(schema['patternProperties']) : [];
    const matching = patterns
      .filter(([pattern]) => new RegExp(pattern, 'u').test(name))
      .map(([, field]) => field);
    return (matching.length > 0 ? matching : [schema['additionalProperties']]).filter(isObject);
  });
}

function listOf(value: unknown): Schema[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
