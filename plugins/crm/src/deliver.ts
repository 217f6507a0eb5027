import {
  callError,
  forAll,
  type IdentifiedResult,
  type Job,
  type JobResult,
  retry,
} from '@batchsender/core/plugin';
import type { CrmPayload } from './payload.ts';

/** Jobs of one call. */
export type Jobs = readonly Job<CrmPayload>[];

/** How one request for some of a call's jobs ended. */
export type Ended =
  /** The vendor told of each record. */
  | { readonly kind: 'records'; readonly results: readonly IdentifiedResult[] }
  /** The same holds for all of them. */
  | { readonly kind: 'all'; readonly result: JobResult }
  /** Nothing was written, because of what is in some of the records. `guilty` are those that are known to be. */
  | {
      readonly kind: 'refused';
      readonly failure: (job: Job<CrmPayload>) => JobResult;
      readonly guilty: Jobs;
    };

/**
 * Sends jobs by requests, one after another, and answers one result a job. Where the vendor refuses
 * a whole request for one bad record, the request is halved until the bad one stands alone: nothing
 * was written, so nothing is written twice. After a request that was lost, throttled or blocked no
 * other one is made; its jobs are tried again later.
 */
export async function deliver(
  groups: readonly Jobs[],
  send: (jobs: Jobs) => Promise<Ended>,
): Promise<IdentifiedResult[]> {
  const queue = [...groups];
  const results: IdentifiedResult[] = [];
  for (let jobs = queue.shift(); jobs !== undefined; jobs = queue.shift()) {
    if (jobs.length === 0) continue;
    const ended = await send(jobs).catch((error: unknown) => lost(error));
    if (ended.kind === 'records') results.push(...ended.results);
    else if (ended.kind === 'refused') {
      const { guilty, rest } = narrowed(jobs, ended.guilty);
      results.push(...guilty.map((job) => ({ ...ended.failure(job), jobId: job.id })));
      queue.unshift(...rest);
    } else {
      results.push(...forAll(jobs, ended.result));
      const later = resultOfUnsent(ended.result);
      if (later !== undefined) results.push(...queue.splice(0).flatMap((unsent) => forAll(unsent, later)));
    }
  }
  return results;
}

/** A request that was answered by nothing, or by nonsense. */
export function lost(error: unknown): Extract<Ended, { kind: 'all' }> {
  const { code, message, notSent } = hasOwnCode(error)
    ? { code: error.code, message: error.message, notSent: false }
    : callError(error);
  return { kind: 'all', result: retry(code, { message, ...(notSent ? {} : { possibleDuplicate: true }) }) };
}

/** The engine's reason for ending a call has a code of ours, and so has an error of ours. */
const hasOwnCode = (error: unknown): error is Error & { code: string } =>
  error instanceof Error &&
  /^(TimeoutError|AbortError|LostCallError)$/.test(error.name) &&
  typeof (error as { code?: unknown }).code === 'string';

/** Those that fail now, and what is sent instead of the request that was refused. */
function narrowed(jobs: Jobs, guilty: Jobs): { guilty: Jobs; rest: readonly Jobs[] } {
  if (jobs.length === 1) return { guilty: jobs, rest: [] };
  if (guilty.length > 0) {
    const known = new Set(guilty.map(({ id }) => id));
    return { guilty, rest: [jobs.filter(({ id }) => !known.has(id))] };
  }
  const middle = Math.ceil(jobs.length / 2);
  return { guilty: [], rest: [jobs.slice(0, middle), jobs.slice(middle)] };
}

/** What becomes of jobs that were not sent because of how an earlier request ended; undefined if they are sent. */
function resultOfUnsent(result: JobResult): JobResult | undefined {
  switch (result.status) {
    case 'throttled':
    case 'blocked':
      return result;
    case 'retry':
      return retry('not_sent', {
        message: 'An earlier request of this call was lost, so this one was not made',
      });
    default:
      return undefined;
  }
}
