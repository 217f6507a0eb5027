import type pg from 'pg';
import type { LedgerEntry } from './model-vendor.ts';

/** What became of a request, as far as its caller knows. */
export type Fate = 'acked' | 'refused' | 'unclear';

/** Jobs that were handed in together: all of them count or none. */
export interface Submission {
  readonly tag: string;
  jobs: number;
  fate: Fate;
  batchId?: string;
}

/** A time in which no call may start for a batch, by the monotonic clock (E17). */
interface Hold {
  readonly batchId: string;
  readonly from: number;
  to: number;
}

/** What the schedule did, to be held against what the database says. */
export class ModelJournal {
  readonly submissions: Submission[] = [];
  readonly holds: Hold[] = [];
  /** The batch that is steered most of the time, so that requests meet. */
  favourite: string | undefined;
  readonly #released = new Map<string, number>();
  /** Requests under way after which a batch may go on. */
  readonly #releasing = new Map<string, number>();

  /** Begins a submission; unclear until its caller knows better. */
  submission(jobs = 0): Submission {
    const made: Submission = { tag: `t${this.submissions.length}`, jobs, fate: 'unclear' };
    this.submissions.push(made);
    return made;
  }

  /** A pause or cancellation that was asked for at `askedAt` is confirmed. */
  hold(batchId: string, askedAt: number): void {
    if ((this.#releasing.get(batchId) ?? 0) > 0 || (this.#released.get(batchId) ?? 0) >= askedAt) return;
    this.holds.push({ batchId, from: performance.now(), to: Number.POSITIVE_INFINITY });
  }

  /** Runs a request after which a batch may go on, whatever its caller hears of it. */
  async releasing(batchId: string, work: () => Promise<unknown>): Promise<void> {
    this.#count(batchId, 1);
    this.#release(batchId);
    try {
      await work();
    } finally {
      this.#count(batchId, -1);
      this.#release(batchId);
    }
  }

  #count(batchId: string, by: number): void {
    this.#releasing.set(batchId, (this.#releasing.get(batchId) ?? 0) + by);
  }

  #release(batchId: string): void {
    const now = performance.now();
    this.#released.set(batchId, now);
    for (const hold of this.holds) if (hold.batchId === batchId) hold.to = Math.min(hold.to, now);
  }
}

interface Stored {
  tag: string;
  batch_id: string;
  jobs: number;
}

const STORED = `SELECT j.payload->>'tag' AS tag, j.batch_id, count(*)::int AS jobs
FROM batchsender.jobs AS j JOIN batchsender.batches AS b ON b.id = j.batch_id WHERE j.seq < b.total GROUP BY 1, 2`;

const GAPS = `SELECT b.id, b.total, count(j.seq)::int AS jobs FROM batchsender.batches AS b
LEFT JOIN batchsender.jobs AS j ON j.batch_id = b.id AND j.seq < b.total GROUP BY b.id HAVING count(j.seq) <> b.total`;

const STRAYS = `SELECT j.batch_id, count(*)::int AS jobs FROM batchsender.jobs AS j
LEFT JOIN batchsender.batches AS b ON b.id = j.batch_id
WHERE (b.id IS NULL OR j.seq >= b.total)
  AND NOT EXISTS (SELECT 1 FROM batchsender.uploads AS u WHERE u.batch_id = j.batch_id AND u.state = 'active')
GROUP BY 1`;

/** All of a submission or nothing of it, and what was confirmed is there (E13, E14). */
export async function intakeProblems(pool: pg.Pool, journal: ModelJournal): Promise<string[]> {
  const { rows: stored } = await pool.query<Stored>(STORED);
  const { rows: gaps } = await pool.query(GAPS);
  const { rows: strays } = await pool.query(STRAYS);
  const problems = [...gaps, ...strays].map((row) => `E13: jobs and totals differ: ${JSON.stringify(row)}`);
  for (const { tag, jobs, fate, batchId } of journal.submissions) {
    const found = stored.filter((row) => row.tag === tag);
    const count = found.reduce((sum, row) => sum + row.jobs, 0);
    const wanted = fate === 'acked' ? [jobs] : [0, ...(fate === 'unclear' ? [jobs] : [])];
    if (!wanted.includes(count)) problems.push(`E13: ${tag} (${fate}) holds ${count} of ${jobs} jobs`);
    if (found.length > 1) problems.push(`${tag} is in ${found.length} batches`);
    if (batchId !== undefined && found.some((row) => row.batch_id !== batchId))
      problems.push(`${tag} is elsewhere`);
  }
  return problems;
}

/** Pause and cancel take effect within this time (E17). */
const STEER_MS = 1_500;

/** Calls that started although their batch was paused or cancelled. */
export function holdProblems(journal: ModelJournal, ledger: readonly LedgerEntry[]): string[] {
  return journal.holds.flatMap(({ batchId, from, to }) =>
    ledger
      .filter((entry) => entry.batchId === batchId && entry.atMs > from + STEER_MS && entry.atMs < to)
      .map(
        (entry) => `E17: ${entry.jobId} was called ${Math.round(entry.atMs - from)} ms after pause or cancel`,
      ),
  );
}
