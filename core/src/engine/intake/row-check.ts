import type { JobPayload, Module } from '../../plugin/index.ts';
import { compileDefaults, TemplateError } from './defaults.ts';
import type { JobKey } from './job-key.ts';
import { payloadCheck, type RowProblem } from './payload-check.ts';

/** What is wrong with a row; or, of one that is right, the key that tells its duplicates. */
export type RowVerdict =
  | { readonly problems: readonly RowProblem[]; readonly key?: never }
  | { readonly key: JobKey; readonly problems?: never };

/** Checks a job's own payload as it will be sent: merged, rendered, by schema and `validate`. */
export type RowCheck = (payload: JobPayload) => RowVerdict;

const KEYLESS: RowVerdict = { key: null };

/** The check for the jobs of one batch. `keyOf` and `onRight` take the payload as it will be sent. */
export function rowCheck(
  module: Module,
  defaults: JobPayload | null,
  keyOf?: (payload: JobPayload) => JobKey,
  onRight?: (payload: JobPayload) => void,
): RowCheck {
  const merge = compileDefaults(defaults, module.payload);
  const check = payloadCheck(module);
  return (payload) => {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      return { problems: [{ path: '', code: 'wrong_type', message: 'a payload must be a JSON object' }] };
    }
    try {
      const merged = merge(payload);
      const problems = check(merged);
      if (problems !== undefined) return { problems };
      onRight?.(merged);
      return keyOf === undefined ? KEYLESS : { key: keyOf(merged) };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return { problems: [{ path: error.path, code: 'invalid_template', message: error.message }] };
    }
  };
}
