import type { Logger } from '../plugin/index.ts';
import { Beat } from './beat.ts';
import type { EngineObserver } from './observer.ts';
import type { MaintenanceStore } from './store.ts';
import type { Tuning } from './tuning.ts';

export interface MaintenanceOptions {
  readonly store: MaintenanceStore;
  readonly holder: string;
  readonly tuning: Tuning;
  readonly logger: Logger;
  /** Something became due. */
  onDue(): void;
  /** The reconciler found the log and the counters apart, and repaired so many places. */
  onRepairs(count: number): void;
  readonly watcher?: EngineObserver | undefined;
}

const BEAT_MS = 1_000;
/** A leader that is silent for this long is replaced: the chunks of another runner may wait for it. */
const LEADER_TTL_MS = 3_000;
const UPLOAD_SWEEP_EVERY = 10;
const KEY_PIECES_A_BEAT = 10;
const TIDY_EVERY = 600;
const BATCHES_A_CHECK = 20;

/** Housekeeping of one process: lost chunks, sweeps, abandoned uploads, stale keys, the reconciler. One leader does it. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #beat: Beat;
  /** Beats that tidied up. The first one does not: what can wait does not disturb the start. */
  #beats = -1;
  /** Keys are left that can be dropped. */
  #hasKeys = false;
  /** Where the next look at early receipts begins. */
  #early: string | null = null;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#beat = new Beat({
      work: () => this.#keepHouse(),
      everyMs: () => BEAT_MS,
      onError: (error) => options.logger.warn({ err: error }, 'housekeeping failed'),
    });
  }

  start(): void {
    this.#beat.start();
  }

  stop(): Promise<void> {
    return this.#beat.stop();
  }

  async #keepHouse(): Promise<void> {
    const { store, holder, tuning, logger, onDue, watcher } = this.#options;
    if (!(await store.lead('maintenance', holder, LEADER_TTL_MS))) return;
    const recovered = await store.recoverChunks(tuning.leaseMs);
    if (recovered > 0) logger.warn({ chunks: recovered }, 'took chunks back from a runner that is gone');
    if (recovered > 0) {
      watcher?.onRecovered?.(recovered);
      onDue();
    }
    while (!this.#beat.stopped && (await store.sweepStep(undefined, watcher?.onSweep)));
    if (this.#beats >= 0) await this.#tidyUp();
    this.#beats += 1;
  }

  async #tidyUp(): Promise<void> {
    const { store, tuning, logger, onDue, onRepairs } = this.#options;
    if (this.#beats % UPLOAD_SWEEP_EVERY === 0) await store.sweepUploads(tuning.uploadTtlMs);
    if (this.#beats % UPLOAD_SWEEP_EVERY === 0 || this.#hasKeys) await this.#dropKeys();
    if (this.#beats % Math.max(1, Math.round(tuning.reconcileMs / BEAT_MS)) === 0) {
      const repairs = await store.reconcile(BATCHES_A_CHECK);
      if (repairs > 0) {
        logger.error({ repairs }, 'the reconciler repaired batches: please report this');
        onRepairs(repairs);
        onDue();
      }
    }
    this.#early = await store.settleEarly(this.#early);
    if (this.#beats % UPLOAD_SWEEP_EVERY === 0) await store.dropReceiptKeys();
    if (this.#beats % TIDY_EVERY === 0) await store.tidy();
  }

  /** Some of them: lost chunks must not wait until the millions of a large batch are gone. */
  async #dropKeys(): Promise<void> {
    this.#hasKeys = true;
    for (let piece = 0; piece < KEY_PIECES_A_BEAT && this.#hasKeys && !this.#beat.stopped; piece++) {
      this.#hasKeys = (await this.#options.store.dropKeys()) > 0;
    }
  }
}
