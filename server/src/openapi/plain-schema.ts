/** A JSON value of the document. */
export type Json = string | number | boolean | null | readonly Json[] | JsonRecord;
/** A JSON object of the document. */
export interface JsonRecord {
  readonly [key: string]: Json;
}

/**
 * A module's schema in the forms that OpenAPI 3.1 tools take: records as `additionalProperties`,
 * tuples as `prefixItems`. Schemas with references of their own are shown as open objects, since
 * their references would point nowhere in the document.
 */
export function plainSchema(schema: object): JsonRecord {
  const json = JSON.parse(JSON.stringify(schema)) as JsonRecord;
  if (JSON.stringify(json).includes('"$ref":')) {
    return { type: 'object', description: 'The schema refers to itself: see GET /v1/modules.' };
  }
  return plain(json) as JsonRecord;
}

function plain(node: Json): Json {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node as JsonRecord).map(([key, value]) => [key, plain(value)] as const);
  return tuple(record(Object.fromEntries(entries.filter(([key]) => key !== '$id' && key !== '$schema'))));
}

function record(node: JsonRecord): JsonRecord {
  const { patternProperties, ...rest } = node;
  const patterns = Object.entries((patternProperties ?? {}) as JsonRecord);
  const [pattern, values] = patterns[0] ?? [];
  if (pattern === undefined || values === undefined || patterns.length > 1) return node;
  const takesAllKeys = pattern === '^.*$' || pattern === '^(.*)$';
  return {
    ...rest,
    ...(takesAllKeys ? {} : { propertyNames: { pattern } }),
    additionalProperties: values,
  };
}

function tuple(node: JsonRecord): JsonRecord {
  const { items, additionalItems, ...rest } = node;
  if (!Array.isArray(items)) return node;
  return { ...rest, prefixItems: items, items: additionalItems ?? false };
}
