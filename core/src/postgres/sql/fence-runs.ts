import type { NewEvent } from '../../engine/store.ts';

/** Fences of neighbours that say the same: a row of `job_fences`. */
export interface FenceRun {
  readonly seq: number;
  /** The position after the last. */
  readonly endSeq: number;
  readonly data: string | null;
}

/**
 * A run never crosses a multiple of this, so whoever looks for the fences of one job finds them among the runs that
 * begin at most so many positions before it (`jobLog`).
 */
export const RUN_SPAN = 256;

/**
 * The fences at the end of a statement's events, as runs. What stands before another event stays an event of its own,
 * since runs get the greatest numbers of the statement.
 */
export function splitFences(all: readonly NewEvent[]): { events: readonly NewEvent[]; runs: FenceRun[] } {
  let count = all.length;
  while (count > 0 && all[count - 1]?.kind === 'attempted') count -= 1;
  return { events: count === all.length ? all : all.slice(0, count), runs: runsOf(all.slice(count)) };
}

function runsOf(fences: NewEvent[]): FenceRun[] {
  const runs: FenceRun[] = [];
  let run: { seq: number; endSeq: number; data: string | null } | undefined;
  for (const { seq, data } of fences.sort((a, b) => a.seq - b.seq)) {
    if (run !== undefined && seq === run.endSeq && data === run.data && seq % RUN_SPAN !== 0) {
      run.endSeq += 1;
    } else {
      run = { seq, endSeq: seq + 1, data };
      runs.push(run);
    }
  }
  return runs;
}
