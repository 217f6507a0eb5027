import type { TSchema } from 'typebox';
import type { Module } from '../../plugin/index.ts';
import type { BatchInput } from '../api.ts';
import type { Problem } from '../errors.ts';

/** Most paths of a batch, and most characters of a path. */
const MAX_PATHS = 8;
const MAX_LENGTH = 200;

type Schema = {
  readonly type?: string;
  readonly properties?: Record<string, TSchema>;
  readonly patternProperties?: unknown;
  readonly additionalProperties?: unknown;
};

/** The paths as a list; null if the batch takes duplicates. */
export function dedupePaths({ dedupeBy }: Pick<BatchInput, 'dedupeBy'>): readonly string[] | null {
  if (dedupeBy === undefined) return null;
  return typeof dedupeBy === 'string' ? [dedupeBy] : [...dedupeBy];
}

/** What is wrong with a batch's `dedupeBy`, as far as the schema of the payload tells. */
export function dedupeProblems(module: Module, dedupeBy: unknown): Problem[] {
  if (typeof dedupeBy === 'string') return pathProblems(module, dedupeBy, '/dedupeBy');
  if (!Array.isArray(dedupeBy)) {
    return [
      { path: '/dedupeBy', code: 'wrong_type', message: 'must be a path such as `to`, or a list of them' },
    ];
  }
  if (dedupeBy.length === 0 || dedupeBy.length > MAX_PATHS) {
    const message = `must have 1 to ${MAX_PATHS} paths; leave it out to take duplicates`;
    return [{ path: '/dedupeBy', code: 'invalid_value', message }];
  }
  return dedupeBy.flatMap((path: unknown, index) => pathProblems(module, path, `/dedupeBy/${index}`));
}

function pathProblems(module: Module, path: unknown, place: string): Problem[] {
  if (typeof path !== 'string') {
    return [{ path: place, code: 'wrong_type', message: 'must be a path such as `variables.customerId`' }];
  }
  if (path.length > MAX_LENGTH) {
    return [{ path: place, code: 'invalid_value', message: `must have at most ${MAX_LENGTH} characters` }];
  }
  const names = path.split('.');
  if (names.some((name) => name === '' || name === '__proto__')) {
    const message = 'must be names of fields with single dots between them, such as `variables.customerId`';
    return [{ path: place, code: 'invalid_value', message }];
  }
  const unknown = unknownField(module.payload as Schema, names);
  if (unknown === undefined) return [];
  const message = `a ${module.type} payload has no field '${unknown}'`;
  return [{ path: place, code: 'unknown_field', message }];
}

/** The first part of the path that no payload can have; undefined where the schema does not say. */
function unknownField(payload: Schema, names: readonly string[]): string | undefined {
  let schema = payload;
  for (const [depth, name] of names.entries()) {
    const { type, properties = {}, additionalProperties, patternProperties } = schema;
    const reached = names.slice(0, depth + 1).join('.');
    if (type !== undefined && type !== 'object') return type === 'array' ? undefined : reached;
    if (!Object.hasOwn(properties, name)) {
      return additionalProperties === false && patternProperties === undefined ? reached : undefined;
    }
    schema = properties[name] as Schema;
  }
  return undefined;
}
