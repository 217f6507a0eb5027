import { type TSchema, Type } from 'typebox';
import type { JobPayload, Module } from '../../plugin/index.ts';
import type { BatchInput } from '../api.ts';
import { BatchSenderError, InvalidInputError, type Problem } from '../errors.ts';
import type { RegisteredModule, Registry } from '../registry.ts';
import { dedupeProblems } from './dedupe-paths.ts';
import { valueProblems } from './payload-check.ts';

const BatchFields = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 200 })),
  priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
  sealed: Type.Optional(Type.Boolean()),
  connection: Type.Optional(Type.String()),
  dryRun: Type.Optional(Type.Boolean()),
  defaults: Type.Optional(Type.Object({})),
  retry: Type.Optional(
    Type.Object(
      {
        maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        baseMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
        capMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
        maxAgeMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 31_536_000_000 })),
      },
      { additionalProperties: false },
    ),
  ),
});

/** A batch whose fields were checked, with what the registry knows of its type. */
export interface CheckedBatch {
  readonly registered: RegisteredModule;
  readonly provider: string;
}

/** @throws BatchSenderError `unknown_type`, `unknown_provider`, InvalidInputError `invalid_batch`. */
export function checkBatch(registry: Registry, batch: BatchInput): CheckedBatch {
  const registered = registry.get(batch.type);
  if (registered === undefined) {
    const types = registry.list().map((entry) => entry.module.type);
    throw new BatchSenderError(
      'unknown_type',
      `No installed plugin handles jobs of type '${batch.type}'. Installed: ${types.join(', ') || 'none'}`,
    );
  }
  const provider = batch.provider ?? registered.defaultProvider;
  if (registry.provider(batch.type, provider) === undefined) {
    const names = Object.keys(registered.module.providers);
    throw new BatchSenderError(
      'unknown_provider',
      `Type '${batch.type}' has no provider '${provider}': use ${names.join(' or ')}`,
    );
  }
  const { jobs: _jobs, scheduledAt, dedupeBy, ...fields } = batch;
  const problems: Problem[] = valueProblems(BatchFields, fields);
  if (scheduledAt !== undefined && Number.isNaN(scheduledAt.getTime())) {
    problems.push({ path: '/scheduledAt', code: 'invalid_value', message: 'must be a date and time' });
  }
  if (dedupeBy !== undefined) problems.push(...dedupeProblems(registered.module, dedupeBy));
  if (problems.length === 0 && batch.defaults !== undefined) {
    problems.push(...defaultsProblems(registered.module, batch.defaults));
  }
  if (problems.length > 0)
    throw new InvalidInputError('invalid_batch', 'The batch is invalid; nothing was stored', problems);
  return { registered, provider };
}

/** Defaults are checked as far as they can be without a job: names, and values without templates. */
function defaultsProblems(module: Module, defaults: JobPayload): Problem[] {
  const { properties = {}, additionalProperties } = module.payload as {
    properties?: Record<string, TSchema>;
    additionalProperties?: unknown;
  };
  return Object.entries(defaults).flatMap(([name, value]): Problem[] => {
    const path = `/defaults/${name}`;
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) {
      if (additionalProperties !== false) return [];
      return [{ path, code: 'unknown_field', message: `a ${module.type} payload has no field '${name}'` }];
    }
    if (/\{[{%]/.test(JSON.stringify(value))) return [];
    return valueProblems(schema, value).map((problem) => ({ ...problem, path: `${path}${problem.path}` }));
  });
}
