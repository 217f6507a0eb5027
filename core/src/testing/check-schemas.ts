import { SECRET, type TSchema } from '../plugin/index.ts';
import { jsonProblem } from './check-json.ts';

type Fields = { readonly [keyword: string]: unknown };

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** TypeBox keeps functions of a schema in hidden fields, which JSON drops. */
const FUNCTIONS = ['~refine', '~codec'];

/** Why a schema says less, or something else, to those who get it as JSON (OpenAPI, forms, other languages). */
export function schemaFault(schema: TSchema, what: string): string | undefined {
  const problem = jsonProblem(schema);
  if (problem !== undefined)
    return `The ${what} schema is not plain JSON: ${problem}. Keep to JSON Schema keywords`;
  for (const [at, part] of partsOf(schema)) {
    if (FUNCTIONS.some((name) => Object.hasOwn(part, name))) {
      return `The ${what} schema has a function at ${at || '/'}, which JSON cannot carry: check it in the module's validate()`;
    }
    if (typeof part['$ref'] === 'string') {
      return `The ${what} schema has a reference at ${at}/$ref: put the schema in place, so that it stands alone`;
    }
  }
  return undefined;
}

/** Names that stand for a secret almost always. */
const SECRET_NAME = /(password|passphrase|secret|token|api_?key|private_?key|access_?key)$/i;

/** A field that looks like a secret and is not marked as one. */
export function unmarkedSecret(schema: TSchema): string | undefined {
  for (const [at, part] of partsOf(schema)) {
    const name = at.split('/').at(-1) ?? '';
    if (part['type'] !== 'string' || part[SECRET] === true || part['const'] !== undefined) continue;
    if (SECRET_NAME.test(name)) {
      return `The credentials field ${at.replaceAll('/properties/', '/')} looks like a secret. Define it with secret(), so that it is encrypted and never shown`;
    }
  }
  return undefined;
}

/** A schema and all schemas in it, with their places. */
function* partsOf(schema: unknown, at = ''): Generator<[at: string, part: Fields]> {
  if (Array.isArray(schema)) {
    for (const [index, item] of schema.entries()) yield* partsOf(item, `${at}/${index}`);
  } else if (isObject(schema)) {
    yield [at, schema];
    for (const [name, item] of Object.entries(schema)) yield* partsOf(item, `${at}/${name}`);
  }
}
