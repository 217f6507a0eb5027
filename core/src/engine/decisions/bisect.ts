import type { ChunkEnd, ChunkLease, NewChunk } from '../store.ts';
import type { FullRetryPolicy } from './backoff.ts';
import type { Due, OpenFence } from './due.ts';
import { type Again, followUps } from './follow-up.ts';
import type { EventData } from './settle.ts';

/** What becomes of a chunk that has died alone (E21). */
export interface Bisection {
  /** Jobs that are given up: nothing smaller than them could be tried alone. */
  readonly settled: readonly {
    readonly seq: number;
    readonly kind: 'failed' | 'unknown';
    readonly data: EventData;
  }[];
  readonly end: Extract<ChunkEnd, { kind: 'close' }>;
}

export interface BisectContext {
  readonly policy: FullRetryPolicy;
  readonly random: () => number;
  /** The provider takes a call with an open fence once more, as it was. */
  readonly repeatable: boolean;
}

/** A process may be killed by somebody else at a bad moment: a job is given up after so many deaths alone. */
const LAST_DEATHS = 3;

/** The first death was in company, the others were alone. */
const deathsAlone = ({ deaths }: Pick<ChunkLease, 'deaths'>): number => Math.max(0, deaths - 1);

/** It was alone in its process when that died: the chunk itself is what kills, as it seems. */
export const diedAlone = (lease: Pick<ChunkLease, 'deaths'>): boolean => deathsAlone(lease) > 0;

const CODE = 'runner_died';

/**
 * Halves what is left of a chunk that died alone, until the culprit is alone and is given up. Jobs
 * that share a fenced call stay together: it may be repeated with exactly the same jobs only. Undefined if the
 * chunk is to run alone once more, as it is.
 */
export function bisect(
  due: Due,
  again: readonly Again[],
  lease: ChunkLease,
  context: BisectContext,
): Bisection | undefined {
  const { attempt, spent, uncertain } = lease;
  const { policy, random } = context;
  const followed = followUps(again, { attempt, spent, uncertain, policy, random });
  const units = unitsOf(due);
  const [unit] = units;
  // Others that were delivered just before may have left something behind that killed: it is tried once more, alone.
  if (unit?.seqs.length === lease.size) {
    if (deathsAlone(lease) < LAST_DEATHS) return undefined;
    return { settled: giveUp(unit, context.repeatable), end: { kind: 'close', chunks: followed } };
  }
  const middle = Math.ceil(units.length / 2);
  const halves = [units.slice(0, middle), units.slice(middle)]
    .filter((half) => half.length > 0)
    .map((half): NewChunk => {
      const seqs = half.flatMap(({ seqs: members }) => members).sort((a, b) => a - b);
      return { seqs, dueInMs: 0, attempt, spent, uncertain, split: true };
    });
  return { settled: [], end: { kind: 'close', chunks: [...followed, ...halves] } };
}

interface Unit {
  readonly seqs: readonly number[];
  readonly fenced: boolean;
  /** The provider holds it, and could be asked. */
  readonly held: boolean;
}

/** What is tried alone in the end: a job, or the jobs of a call that must not be torn apart. */
function unitsOf({ fresh, fenced }: Due): Unit[] {
  const calls = Map.groupBy(fenced, (fence: OpenFence) => fence.callKey ?? fence.seq);
  const units = [
    ...fresh.map((seq): Unit => ({ seqs: [seq], fenced: false, held: false })),
    ...[...calls.values()].map(
      (fences): Unit => ({
        seqs: fences.map(({ seq }) => seq),
        fenced: true,
        held: fences.some(({ pending, note }) => pending || note !== undefined),
      }),
    ),
  ];
  return units.sort((a, b) => (a.seqs[0] ?? 0) - (b.seqs[0] ?? 0));
}

function giveUp({ seqs, fenced, held }: Unit, repeatable: boolean): Bisection['settled'] {
  // Of several jobs in one call, only one is the culprit, and the others may have been delivered.
  const undecided = fenced && (!repeatable || held || seqs.length > 1);
  const kind = undecided ? ('unknown' as const) : ('failed' as const);
  const ending = undecided ? ' It may have been delivered before.' : '';
  const message = `The process of the runner died each time it worked on this job, alone as well.${ending}`;
  return seqs.map((seq) => ({ seq, kind, data: { code: CODE, message } }));
}
