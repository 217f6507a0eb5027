import type pg from 'pg';
import { conservationProblems } from '../test/helpers/model-conservation.ts';
import { ledgerProblems } from '../test/helpers/model-ledger.ts';
import { groupBy, readSnapshot } from '../test/helpers/model-snapshot.ts';
import type { LedgerEntry } from '../test/helpers/model-vendor.ts';
import { lostBatches } from './load.ts';

/** What the receiver's ledger, the log and the counters say together. */
export interface Verdict {
  readonly jobs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  /** Jobs of sealed batches without an outcome. */
  readonly stuck: number;
  /** Jobs that were called more than once. */
  readonly repeated: number;
  /** Jobs that the receiver delivered more than once. */
  readonly deliveredTwice: number;
  /** Broken promises: a repeat that is not marked, a call without its fence, counters that differ from the log. */
  readonly problems: readonly string[];
}

/** The verdict on a loop: what each of them promises, as figures and as what is broken. */
export async function loopVerdict(
  pool: pg.Pool,
  ledger: readonly LedgerEntry[],
  acknowledged: readonly string[],
): Promise<{ readonly figures: Omit<Verdict, 'problems'>; readonly problems: readonly string[] }> {
  const { problems, ...figures } = await verdictOf(pool, ledger);
  const lost = await lostBatches(pool, acknowledged);
  const stuck = figures.stuck === 0 ? [] : [`${figures.stuck} jobs have no outcome`];
  return { figures, problems: [...problems, ...lost, ...stuck] };
}

/** Compares the ledger with the log and the counters (E1, E2, E7, E10). */
export async function verdictOf(pool: pg.Pool, ledger: readonly LedgerEntry[]): Promise<Verdict> {
  const snapshot = await readSnapshot(pool);
  const sum = (field: 'total' | 'succeeded' | 'failed' | 'unknown' | 'cancelled') =>
    snapshot.batches.filter(({ state }) => state !== 'open').reduce((all, batch) => all + batch[field], 0);
  const [jobs, succeeded, failed, unknown] = [sum('total'), sum('succeeded'), sum('failed'), sum('unknown')];
  const calls = [...groupBy(ledger, ({ jobId }) => jobId).values()];
  return {
    jobs,
    succeeded,
    failed,
    unknown,
    stuck: jobs - succeeded - failed - unknown - sum('cancelled'),
    repeated: calls.filter((entries) => entries.length > 1).length,
    deliveredTwice: calls.filter((entries) => entries.filter(({ took }) => took).length > 1).length,
    problems: [...conservationProblems(snapshot), ...ledgerProblems(ledger, snapshot)],
  };
}
