import type { JobResult, Resolution } from '../../plugin/index.ts';

/** Results by job, and what the provider did wrong. */
export interface MatchedResults<R> {
  /** In the order of the jobs; undefined where there is none. */
  readonly results: readonly (R | undefined)[];
  readonly violation: string | undefined;
}

const JOB_STATUSES = new Set(['succeeded', 'pending', 'retry', 'throttled', 'blocked', 'failed', 'unknown']);

/** True if the value is a result that the engine can act on. */
export function isResult(value: unknown): value is JobResult {
  const result = value as Partial<Record<string, unknown>> | null | undefined;
  const status = result?.['status'];
  if (typeof status !== 'string' || !JOB_STATUSES.has(status)) return false;
  switch (status) {
    case 'throttled':
      return Number.isFinite(result?.['afterMs']);
    case 'pending':
      return typeof result?.['ref'] === 'string' && Number.isFinite(result['checkAfterMs']);
    case 'succeeded':
      return true;
    default:
      return typeof result?.['code'] === 'string';
  }
}

export function isResolution(value: unknown): value is Resolution {
  const status = (value as { status?: unknown } | null | undefined)?.status;
  return status === 'absent' || status === 'undecided' || isResult(value);
}

/**
 * Matches what a provider answered to the jobs of its call (E22): by `jobId` where results name
 * one, else by position. What is missing stays undefined, never a success; duplicate, foreign
 * and malformed results are a violation of the contract.
 */
export function matchResults<R>(
  jobIds: readonly string[],
  answer: unknown,
  valid: (value: unknown) => value is R,
): MatchedResults<R> {
  const none = jobIds.map(() => undefined);
  if (!Array.isArray(answer)) return { results: none, violation: 'the answer is not a list of results' };
  const named = answer.some((item) => typeof (item as { jobId?: unknown } | null)?.jobId === 'string');
  return named ? byId(jobIds, answer, valid) : byPosition(jobIds, answer, valid);
}

function byPosition<R>(
  jobIds: readonly string[],
  answer: unknown[],
  valid: (value: unknown) => value is R,
): MatchedResults<R> {
  let violation: string | undefined;
  if (answer.length !== jobIds.length) violation = `${answer.length} results for ${jobIds.length} jobs`;
  // With a wrong number nobody can say which result belongs to which job.
  if (violation !== undefined) return { results: jobIds.map(() => undefined), violation };
  const results = answer.map((item) => {
    if (valid(item)) return item;
    violation = 'a result is malformed';
    return undefined;
  });
  return { results, violation };
}

function byId<R>(
  jobIds: readonly string[],
  answer: unknown[],
  valid: (value: unknown) => value is R,
): MatchedResults<R> {
  const wanted = new Set(jobIds);
  const found = new Map<string, R | undefined>();
  let violation: string | undefined;
  for (const item of answer) {
    const id = (item as { jobId?: unknown } | null)?.jobId;
    if (typeof id !== 'string' || !wanted.has(id)) violation = 'a result names a job that is not in the call';
    else if (found.has(id)) {
      violation = 'two results name the same job';
      found.set(id, undefined);
    } else if (valid(item)) found.set(id, item);
    else violation = 'a result is malformed';
  }
  const results = jobIds.map((id) => found.get(id));
  if (violation === undefined && results.includes(undefined)) violation = 'results are missing';
  return { results, violation };
}
