import type { JobPayload } from '../../plugin/index.ts';
import type { JobPreview } from '../preview.ts';
import type { Registry } from '../registry.ts';
import { checkBatch } from './batch-check.ts';
import { compileDefaults, TemplateError } from './defaults.ts';
import { payloadCheck } from './payload-check.ts';

/**
 * A job as it would be sent, and what is wrong with it.
 * @throws BatchSenderError `unknown_type`, InvalidInputError `invalid_batch`, `invalid_template` for the defaults.
 */
export function previewJob(
  registry: Registry,
  input: { readonly type: string; readonly payload: JobPayload; readonly defaults?: JobPayload },
): JobPreview {
  const { type, defaults } = input;
  const { module } = checkBatch(registry, defaults === undefined ? { type } : { type, defaults }).registered;
  const merge = compileDefaults(defaults ?? null, module.payload);
  try {
    const payload = merge(input.payload);
    const problems = payloadCheck(module)(payload) ?? [];
    return { payload, problems, preview: problems.length === 0 ? (module.preview?.(payload) ?? null) : null };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const problem = { path: error.path, code: 'invalid_template', message: error.message };
    return { payload: input.payload, problems: [problem], preview: null };
  }
}
