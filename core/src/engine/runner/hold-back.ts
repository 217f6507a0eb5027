import type { Job } from '../../plugin/index.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import type { SuppressionReason } from '../suppressions.ts';
import type { BatchPlan, PreparedJob } from './prepare.ts';

const NONE: ReadonlyMap<Job, SuppressionReason> = new Map();

/** Which of these jobs must not be called, since a recipient is suppressed. Modules without recipients cost nothing. */
export async function suppressedJobs(
  check: SuppressionCheck,
  { batch, module }: BatchPlan,
  prepared: readonly PreparedJob[],
): Promise<ReadonlyMap<Job, SuppressionReason>> {
  if (prepared.length === 0) return NONE;
  const applies = check.applies(batch.tenantId, module);
  if (applies === false || !(await applies)) return NONE;
  return check.find(
    batch.tenantId,
    module,
    prepared.map(({ job }) => job),
  );
}
