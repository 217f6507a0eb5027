import type { JobPayload, Module } from '../../plugin/index.ts';
import { InvalidInputError, type Problem } from '../errors.ts';
import { compileDefaults, TemplateError } from './defaults.ts';
import { payloadCheck } from './payload-check.ts';

/** Most problems that an answer lists. */
export const MAX_PROBLEMS = 100;

/** Checks a job's own payload as it will be sent: merged, rendered, by schema and `validate`. */
export type RowCheck = (payload: JobPayload, index: number) => Problem[] | undefined;

/** The check for the jobs of one batch. */
export function rowCheck(module: Module, defaults: JobPayload | null): RowCheck {
  const merge = compileDefaults(defaults, module.payload);
  const check = payloadCheck(module);
  return (payload, index) => {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      return [{ index, path: '', code: 'wrong_type', message: 'a payload must be a JSON object' }];
    }
    try {
      return check(merge(payload))?.map((problem) => ({ index, ...problem }));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return [{ index, path: error.path, code: 'invalid_template', message: error.message }];
    }
  };
}

/** Checks rows and throws with all of their problems, at most {@link MAX_PROBLEMS}. */
export function checkRows<T>(
  rows: readonly T[],
  payloadOf: (row: T) => JobPayload,
  firstIndex: number,
  check: RowCheck,
): void {
  let problems: Problem[] | undefined;
  for (let i = 0; i < rows.length; i++) {
    const found = check(payloadOf(rows[i] as T), firstIndex + i);
    if (found === undefined) continue;
    problems = [...(problems ?? []), ...found];
    if (problems.length >= MAX_PROBLEMS) break;
  }
  if (problems === undefined) return;
  const first = problems[0] as Problem;
  throw new InvalidInputError(
    'invalid_payload',
    `Job ${first.index} is invalid at '${first.path}': ${first.message}. Nothing was stored`,
    problems.slice(0, MAX_PROBLEMS),
  );
}
