import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../plugin/index.ts';
import { Beat } from '../beat.ts';
import type { HeartbeatAnswer } from '../store.ts';
import { isTransient, RETRY_MS } from '../transient.ts';
import type { ChunkRun } from './chunk-run.ts';

export interface HeartbeatOptions {
  beat(): Promise<HeartbeatAnswer>;
  giveBack(chunkId: number, epoch: number): Promise<void>;
  /** True for a chunk that is at work here, or whose lease is under way. */
  holds(chunkId: number): boolean;
  runs(): ReadonlyMap<number, ChunkRun>;
  /** The number of live runners, or this one's place among them, may have changed. */
  onShare(): void;
  /** Which connections are blocked, and the versions of those that this runner has at hand. */
  onConnections(blocked: ReadonlySet<string>, versions: Readonly<Record<string, number>>): void;
  readonly intervalMs: number;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * A runner's sign of life, each second. What comes back steers it: chunks that are no longer
 * its own, paused and cancelled batches, its share of a provider's concurrency.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  /** When the last confirmed heartbeat was sent, by the monotonic clock. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #position = 0;
  #runners = 1;
  readonly #beat: Beat;
  #strays = new Set<string>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beat = new Beat({
      work: () => this.#giveSign(),
      everyMs: options.intervalMs,
      onError: (error) => options.logger.warn({ err: error }, 'heartbeat failed'),
    });
  }

  /** The first beat must succeed. */
  async start(): Promise<void> {
    await this.#giveSign();
    this.#beat.start(this.#options.intervalMs);
  }

  stop(): Promise<void> {
    return this.#beat.stop();
  }

  /** E8: calls may start while the last confirmed heartbeat is younger than half the lease. */
  fresh(now: number): boolean {
    return now - this.#confirmedAt < this.#options.leaseMs / 2;
  }

  /** Since the last confirmed heartbeat was sent; null before the first one. */
  ageMs(now: number): number | null {
    return Number.isFinite(this.#confirmedAt) ? now - this.#confirmedAt : null;
  }

  /** This runner's part of a number of calls at once; 0 if there are more runners than calls. */
  share(concurrency: number): number {
    const rest = this.#position < concurrency % this.#runners ? 1 : 0;
    return Math.floor(concurrency / this.#runners) + rest;
  }

  /**
   * Repeats `work` while the database does not answer. Undefined when so much time has passed
   * that the lease is lost anyway, or when the process stops.
   */
  async persist<T>(work: () => Promise<T>): Promise<T | undefined> {
    const givenUpAt = performance.now() + this.#options.leaseMs * 2;
    for (let tries = 0; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const delay = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] as number;
        if (this.#beat.stopped || performance.now() + delay > givenUpAt || !isTransient(error)) {
          this.#options.logger.error(
            { err: error },
            'a write was given up; the log stays as it is and the lease will be taken over',
          );
          return undefined;
        }
        await sleep(delay);
      }
    }
  }

  async #giveSign(): Promise<void> {
    const sentAt = performance.now();
    const answer = await this.#options.beat();
    this.#confirmedAt = sentAt;
    this.#position = answer.position;
    this.#runners = Math.max(1, answer.runners);
    this.#options.onShare();
    this.#options.onConnections(new Set(answer.blocked), answer.connections);
    const known = new Map(answer.chunks.map((chunk) => [chunk.chunkId, chunk]));
    for (const [chunkId, run] of this.#options.runs()) {
      const chunk = known.get(chunkId);
      // A chunk that was leased after the question was asked is not in the answer.
      if (chunk?.epoch !== run.lease.epoch) {
        if (run.leasedAt < sentAt && !run.ended) run.stop('lost');
      } else if (chunk.batchState !== 'running') run.stop('steered');
    }
    await this.#returnStrays(answer);
  }

  /** E11: chunks in our name that nobody works on: the reply to their lease was lost. */
  async #returnStrays(answer: HeartbeatAnswer): Promise<void> {
    const before = this.#strays;
    this.#strays = new Set();
    for (const { chunkId, epoch } of answer.chunks) {
      if (this.#options.holds(chunkId)) continue;
      const stray = `${chunkId} ${epoch}`;
      // Only one that was astray a beat ago too: a chunk may be leased before its reply is here.
      if (before.has(stray)) await this.#options.giveBack(chunkId, epoch);
      else this.#strays.add(stray);
    }
  }
}
