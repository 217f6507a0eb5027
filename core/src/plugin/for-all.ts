import type { IdentifiedResult, JobResult } from './result.ts';

/** The same result for each job of a call. */
export const forAll = (jobs: readonly { readonly id: string }[], result: JobResult): IdentifiedResult[] =>
  jobs.map(({ id }) => ({ ...result, jobId: id }));
