const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);
const SCHEMA_MAPS = ['properties', 'patternProperties', '$defs'] as const;
const SCHEMA_LISTS = ['anyOf', 'allOf', 'oneOf', 'prefixItems'] as const;
const SCHEMA_FIELDS = [
  'items',
  'additionalProperties',
  'not',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
] as const;

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Finds what is broken in a JSON Schema that a compiler would silently accept: a type that
 * does not exist, a part of the wrong shape, a reference (schemas must be self-contained).
 * Answers the place and the problem, or undefined.
 */
export function schemaProblem(schema: unknown, at = ''): string | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (!isObject(schema)) return `${at || '/'} is not a schema`;
  return typeProblem(schema, at) ?? listProblems(schema, at) ?? nestedProblems(schema, at);
}

function typeProblem(schema: Fields, at: string): string | undefined {
  const types = schema['type'] === undefined ? [] : [schema['type']].flat();
  const wrong = types.find((type) => typeof type !== 'string' || !TYPES.has(type));
  if (wrong !== undefined) return `${at}/type is '${String(wrong)}', which is no JSON Schema type`;
  if (schema['$ref'] !== undefined)
    return `${at}/$ref: references are not supported, put the schema in place`;
  const required = schema['required'];
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === 'string'))
  ) {
    return `${at}/required must be a list of names`;
  }
  return undefined;
}

function listProblems(schema: Fields, at: string): string | undefined {
  for (const field of [...SCHEMA_LISTS, 'items']) {
    const list = schema[field];
    // `items` is a schema, or the list of a tuple's.
    if (list === undefined || (field === 'items' && !Array.isArray(list))) continue;
    if (!Array.isArray(list) || list.length === 0) return `${at}/${field} must be a list of schemas`;
    for (const [index, item] of list.entries()) {
      const problem = schemaProblem(item, `${at}/${field}/${index}`);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function nestedProblems(schema: Fields, at: string): string | undefined {
  return fieldProblems(schema, at) ?? mapProblems(schema, at);
}

function fieldProblems(schema: Fields, at: string): string | undefined {
  for (const field of SCHEMA_FIELDS) {
    if (schema[field] === undefined || (field === 'items' && Array.isArray(schema[field]))) continue;
    const problem = schemaProblem(schema[field], `${at}/${field}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function mapProblems(schema: Fields, at: string): string | undefined {
  for (const field of SCHEMA_MAPS) {
    const map = schema[field];
    if (map === undefined) continue;
    if (!isObject(map)) return `${at}/${field} must map names to schemas`;
    for (const [name, item] of Object.entries(map)) {
      const problem = schemaProblem(item, `${at}/${field}/${name}`);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}
