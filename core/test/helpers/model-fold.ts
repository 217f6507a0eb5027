import { groupBy, type SnapshotEvent } from './model-snapshot.ts';

export type Outcome = 'succeeded' | 'failed' | 'unknown' | 'cancelled';

/** What the log says of one job, told without the engine's code. */
export interface FoldedJob {
  readonly seq: number;
  outcome: Outcome | undefined;
  /** The event that closed each attempt. */
  readonly closedBy: Map<number, SnapshotEvent>;
  /** Attempts that a reopening began with. */
  readonly reopenedAt: number[];
  /** Of each attempt: how often it was fenced, and how many of these fences were taken back. */
  readonly fences: Map<number, { open: boolean; made: number; released: number }>;
  readonly events: readonly SnapshotEvent[];
}

const OUTCOMES = new Set(['succeeded', 'failed', 'unknown', 'cancelled']);
const AGAIN = new Set(['retried', 'postponed']);
/** The common ones, and those that modules of tests declare. */
const RECEIPTS = new Set([
  'delivered',
  'opened',
  'clicked',
  'replied',
  'bounced',
  'complained',
  'printed',
  'queued',
]);

/** Folds the log of one batch, and tells what in it cannot be (E1, E5, E12). */
export function foldBatch(events: readonly SnapshotEvent[]): {
  jobs: Map<number, FoldedJob>;
  wrong: string[];
} {
  const wrong: string[] = [];
  const jobs = new Map<number, FoldedJob>();
  for (const [seq, list] of groupBy(events, (event) => event.seq)) {
    const job: FoldedJob = {
      seq,
      outcome: undefined,
      closedBy: new Map(),
      reopenedAt: [],
      fences: new Map(),
      events: list,
    };
    jobs.set(seq, job);
    for (const event of list) {
      const problem = apply(job, event);
      if (problem !== undefined) wrong.push(`${event.batch_id}.${seq}: ${problem}: ${timeline(list)}`);
    }
  }
  return { jobs, wrong };
}

function apply(job: FoldedJob, event: SnapshotEvent): string | undefined {
  const { kind } = event;
  if (OUTCOMES.has(kind) || AGAIN.has(kind)) return close(job, event);
  switch (kind) {
    case 'attempted':
    case 'released':
      return fence(job, event);
    case 'reopened':
      return reopen(job, event);
    case 'resolved':
      return resolve(job, event);
    case 'late':
      return undefined;
    default:
      return RECEIPTS.has(kind) ? undefined : `an event of the unknown kind ${kind}`;
  }
}

function close(job: FoldedJob, event: SnapshotEvent): string | undefined {
  const { attempt, kind } = event;
  const settled = job.outcome !== undefined;
  const twice = job.closedBy.has(attempt);
  const stale = attempt < Math.max(0, ...job.closedBy.keys(), ...job.reopenedAt);
  job.closedBy.set(attempt, event);
  if (OUTCOMES.has(kind)) job.outcome = kind as Outcome;
  if (twice) return `E1: attempt ${attempt} is closed twice`;
  if (settled) return `E1: ${kind} after an outcome`;
  return stale ? `E1: ${kind} closes the old attempt ${attempt}` : undefined;
}

function fence(job: FoldedJob, event: SnapshotEvent): string | undefined {
  const counts = job.fences.get(event.attempt) ?? { open: false, made: 0, released: 0 };
  job.fences.set(event.attempt, counts);
  const opens = event.kind === 'attempted';
  // The same again was written twice, since the reply to the first time was lost.
  if (opens !== counts.open) counts[opens ? 'made' : 'released'] += 1;
  counts.open = opens;
  return job.closedBy.has(event.attempt) ? `E7: ${event.kind} in a closed attempt` : undefined;
}

function reopen(job: FoldedJob, event: SnapshotEvent): string | undefined {
  const settled = job.outcome !== undefined;
  job.outcome = undefined;
  job.reopenedAt.push(event.attempt);
  if (!settled) return 'E5: reopened without an outcome';
  return event.attempt <= Math.max(0, ...job.closedBy.keys())
    ? 'E5: reopened with an old attempt'
    : undefined;
}

function resolve(job: FoldedJob, event: SnapshotEvent): string | undefined {
  const was = job.outcome;
  job.outcome = event.data?.['outcome'] === 'failed' ? 'failed' : 'succeeded';
  return was === 'unknown' ? undefined : `E5: resolved while ${was ?? 'open'}`;
}

/** A job's events in one line. */
export const timeline = (events: readonly SnapshotEvent[]): string =>
  events
    .map(
      ({ id, attempt, kind, data }) =>
        `#${id} ${attempt}:${kind}${data === null ? '' : JSON.stringify(data)}`,
    )
    .join(' ');
