/** A job that waits for its call. */
export interface Groupable {
  /** Size of its payload in bytes of JSON. */
  readonly bytes: number;
  readonly group: string;
}

/**
 * Groups jobs into calls, in order: only jobs of one group share a call, at most `batchSize`
 * of them and `batchBytes` together. A job that is larger than `batchBytes` gets a call of its own.
 */
export function groupIntoCalls<T extends Groupable>(
  jobs: readonly T[],
  batchSize: number,
  batchBytes = Number.POSITIVE_INFINITY,
): T[][] {
  if (batchSize === 1) return jobs.map((job) => [job]);
  const open = new Map<string, { jobs: T[]; bytes: number }>();
  const calls: T[][] = [];
  for (const job of jobs) {
    let call = open.get(job.group);
    if (call === undefined || call.jobs.length >= batchSize || call.bytes + job.bytes > batchBytes) {
      call = { jobs: [], bytes: 0 };
      open.set(job.group, call);
      calls.push(call.jobs);
    }
    call.jobs.push(job);
    call.bytes += job.bytes;
  }
  return calls;
}
