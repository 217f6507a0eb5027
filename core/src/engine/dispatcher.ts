import type { Logger } from '../plugin/index.ts';
import { chooseFairly } from './decisions/choose.ts';
import type { DispatchGuide } from './dispatch-target.ts';
import type { Candidate, DispatchStore, Notice } from './store.ts';
import type { ChunkRef } from './transport.ts';
import type { Tuning } from './tuning.ts';

export interface DispatcherOptions {
  readonly store: DispatchStore;
  readonly tuning: Tuning;
  readonly logger: Logger;
  readonly guide: DispatchGuide;
  /** Another process says that something became due, or was steered. */
  onNotice(notice: Notice): void;
}

/** After an error the dispatcher looks again in this time. */
const ERROR_MS = 500;
/** A scheduled batch that another process holds is tried again in this time. */
const LOCKED_MS = 10;

/**
 * Finds due chunks and hints them to the runners, fairly and never further ahead than there is
 * room (E15). It looks when it is woken, when it knows that something falls due, and each second.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  #running: Promise<void> | undefined;
  #again = false;
  /** Before its start, and after its end, it looks for nothing. */
  #ended = true;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #lastTenant: string | undefined;
  #cursor: string | null = null;
  #scheduledAt = 0;
  #unlisten: (() => Promise<void>) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#ended = false;
    this.wake();
    this.#unlisten = await this.#options.store.listen((notice) => this.#options.onNotice(notice));
    // What came before it listened.
    this.wake();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#unlisten?.();
    await this.#running;
  }

  /** Looks for due chunks now, or once more after the look that is under way. */
  wake(): void {
    if (this.#ended) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#look()
      .catch((error: Error) => {
        this.#options.logger.warn({ err: error }, 'dispatch failed');
        this.wakeIn(ERROR_MS);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  /** Looks again after this time at the latest. */
  wakeIn(inMs: number): void {
    // It looks each `pollMs` anyway; and what was due a moment ago is due now.
    const waitMs = Math.max(0, Math.min(inMs, this.#options.tuning.pollMs));
    const at = performance.now() + waitMs;
    if (this.#ended || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    }, waitMs);
  }

  async #look(): Promise<void> {
    // First of all: whatever happens below, there is a next look.
    this.wakeIn(this.#options.tuning.pollMs);
    if (!this.#options.guide.dispatches) return;
    await this.#startScheduled();
    // Rounds of 500 batches, until one begins anew or there is no room left.
    do {
      const more = await this.#round();
      if (!more) return;
    } while (this.#cursor !== null && !this.#ended);
  }

  /** Only when a scheduled batch may be due, not with every free slot. */
  async #startScheduled(): Promise<void> {
    const { store, tuning } = this.#options;
    const earlyMs = this.#scheduledAt - performance.now();
    if (earlyMs > 0) {
      // A timer may fire a moment too early: without this the batch would wait for the next look.
      this.wakeIn(earlyMs);
      return;
    }
    const nextMs = (await store.startScheduled()) ?? tuning.pollMs;
    // One that was due, but held by somebody else, is looked at again a moment later.
    const inMs = Math.min(tuning.pollMs, Math.max(LOCKED_MS, nextMs));
    this.#scheduledAt = performance.now() + inMs;
    this.wakeIn(inMs);
  }

  async #round(): Promise<boolean> {
    const { store, guide, tuning } = this.#options;
    const { rehintMs } = tuning;
    const target = await guide.target();
    if (target === undefined || target.limit <= 0) return false;
    const { versions, limit } = target;
    const perBatch = Math.min(limit, target.perConnection);
    const found = await store.candidates({ versions, perBatch, rehintMs, cursor: this.#cursor });
    this.#cursor = found.cursor;
    const chosen = chooseFairly(found.candidates, target, limit, this.#lastTenant);
    if (chosen.length === 0) return true;
    this.#lastTenant = chosen.at(-1)?.tenantId;
    const marked = new Set(
      await store.markDispatched(
        chosen.map((chunk) => chunk.chunkId),
        rehintMs,
      ),
    );
    const refs = chosen.filter((chunk) => marked.has(chunk.chunkId));
    await target.publish(refs.map(toRef));
    return true;
  }
}

const toRef = ({ chunkId, type, moduleVersion, connectionId, tenantId }: Candidate): ChunkRef => ({
  chunkId,
  type,
  moduleVersion,
  connectionId,
  tenantId,
});
