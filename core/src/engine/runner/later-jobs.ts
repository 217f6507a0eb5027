import type { CallSupply, PlannedCall } from './call-queue.ts';
import type { SettledJob } from './chunk-load.ts';

/** What becomes of some jobs. */
export interface SomeJobs {
  readonly calls: readonly PlannedCall[];
  readonly settled: readonly SettledJob[];
}

/** Jobs that are prepared together. */
const TOGETHER = 64;

const NOTHING: SomeJobs = { calls: [], settled: [] };

/**
 * Jobs of a chunk that are prepared a few at a time, when their turn comes. Prepared ahead, a chunk's jobs were
 * parsed objects for so long that each collection of the young heap copied them: a fifth of a webhook's time.
 */
export class LaterJobs {
  readonly #seqs: readonly number[];
  #prepare: (seqs: readonly number[]) => SomeJobs;
  #at = 0;

  constructor(seqs: readonly number[], prepare: (seqs: readonly number[]) => SomeJobs) {
    this.#seqs = seqs;
    this.#prepare = prepare;
  }

  /** Jobs that are not prepared yet. */
  get left(): number {
    return this.#seqs.length - this.#at;
  }

  /** Prepares the next ones. */
  take(): SomeJobs {
    const seqs = this.#seqs.slice(this.#at, this.#at + TOGETHER);
    this.#at += seqs.length;
    const some = this.#prepare(seqs);
    // The texts of the chunk need not wait for its last call.
    if (this.left === 0) this.#prepare = () => NOTHING;
    return some;
  }
}

/** Their calls, as a queue takes them; what needs none is told of as it comes up. */
export function supplyOf(
  jobs: LaterJobs | undefined,
  onSettled: (settled: readonly SettledJob[]) => void,
): CallSupply | undefined {
  if (jobs === undefined) return undefined;
  return {
    get left() {
      return jobs.left;
    },
    take() {
      const { calls, settled } = jobs.take();
      if (settled.length > 0) onSettled(settled);
      return calls;
    },
  };
}
