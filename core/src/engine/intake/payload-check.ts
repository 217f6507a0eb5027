import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { escapePointer, type JobPayload, type Module } from '../../plugin/index.ts';
import type { Problem } from '../errors.ts';

/** A problem of a row whose place is not known yet. */
export type RowProblem = Omit<Problem, 'index' | 'line'>;

/** Checks a merged and rendered payload; undefined if it is valid. */
export type PayloadCheck = (payload: JobPayload) => RowProblem[] | undefined;

const MAX_PROBLEMS_A_JOB = 5;
const cache = new WeakMap<Module, PayloadCheck>();

/** The compiled check of a module's payload schema and of its own `validate`. */
export function payloadCheck(module: Module): PayloadCheck {
  const known = cache.get(module);
  if (known !== undefined) return known;
  const validator = Compile(module.payload);
  const check: PayloadCheck = (payload) => {
    if (!validator.Check(payload)) return schemaProblems(validator.Errors(payload) as SchemaError[]);
    const problems = module.validate?.(payload);
    return problems === undefined || problems.length === 0 ? undefined : [...problems];
  };
  cache.set(module, check);
  return check;
}

const validators = new WeakMap<TSchema, Validator>();

/** Compiling takes far longer than checking, and the same few schemas come again with each batch. */
function validatorOf(schema: TSchema): Validator {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator;
}

/** Problems of a plain value under a schema, for parts of a batch other than its jobs. */
export function valueProblems(schema: TSchema, value: unknown): RowProblem[] {
  const validator = validatorOf(schema);
  return validator.Check(value) ? [] : schemaProblems(validator.Errors(value) as SchemaError[]);
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Record<string, unknown>;
  readonly message: string;
}

function schemaProblems(errors: readonly SchemaError[]): RowProblem[] {
  const telling = errors.filter((error) => error.keyword !== 'boolean' && error.keyword !== 'anyOf');
  const chosen = telling.length > 0 ? telling : errors;
  return chosen.slice(0, MAX_PROBLEMS_A_JOB).map(toProblem);
}

function toProblem({ keyword, instancePath, params, message }: SchemaError): RowProblem {
  // "schema is false": the only word for an unknown field where there are too many errors to list.
  if (keyword === 'boolean') return { path: instancePath, code: 'unknown_field', message: 'unknown field' };
  if (keyword === 'additionalProperties') {
    const names = (params['additionalProperties'] as string[] | undefined) ?? [];
    const path = `${instancePath}/${escapePointer(names[0] ?? '')}`;
    return { path, code: 'unknown_field', message: `unknown field: ${names.join(', ')}` };
  }
  if (keyword === 'required') {
    const names = (params['requiredProperties'] as string[] | undefined) ?? [];
    const path = `${instancePath}/${escapePointer(names[0] ?? '')}`;
    return { path, code: 'missing_field', message: `missing field: ${names.join(', ')}` };
  }
  return { path: instancePath, code: keyword === 'type' ? 'wrong_type' : 'invalid_value', message };
}
