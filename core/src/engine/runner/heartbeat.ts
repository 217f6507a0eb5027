import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../plugin/index.ts';
import { Beat } from '../beat.ts';
import type { HeartbeatAnswer, JoiningQuestion } from '../store.ts';
import { isTransient, RETRY_MS } from '../transient.ts';
import type { ChunkRun } from './chunk-run.ts';
import { JOIN_POLL_MS, Joining } from './joining.ts';

export interface HeartbeatOptions {
  beat(joining: JoiningQuestion | undefined): Promise<HeartbeatAnswer>;
  /** Asks the others for a sign of life. */
  announce(): Promise<void>;
  giveBack(chunkId: number, epoch: number): Promise<void>;
  /** True for a chunk that is at work here, or whose lease is under way. */
  holds(chunkId: number): boolean;
  runs(): ReadonlyMap<number, ChunkRun>;
  /** The others count this runner: it has a share of each provider's concurrency. */
  onJoined(): void;
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
  #joining: Joining;
  /** Since when they are astray, by the monotonic clock. */
  #strays = new Map<string, number>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#joining = new Joining(options.intervalMs);
    this.#beat = new Beat({
      work: () => this.#giveSign(),
      everyMs: () => (this.#joining.isOver ? options.intervalMs : Math.min(JOIN_POLL_MS, options.intervalMs)),
      onError: (error) => options.logger.warn({ err: error }, 'heartbeat failed'),
    });
  }

  /** The first beat must succeed. */
  async start(): Promise<void> {
    await this.#giveSign();
    this.#beat.start(this.#joining.isOver ? this.#options.intervalMs : 0);
  }

  /** Resolves when the others count this runner: before, none of a provider's concurrency is its own. */
  get joined(): Promise<void> {
    return this.#joining.over;
  }

  get hasJoined(): boolean {
    return this.#joining.isOver;
  }

  /** Another runner joined, and waits for a sign of life. */
  hurry(): void {
    this.#beat.hurry();
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

  /** This runner's part of a number of calls at once; 0 if there are more runners than calls, and until it has joined. */
  share(concurrency: number): number {
    if (!this.#joining.isOver) return 0;
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
    // Whoever was silent for a lease is not counted any more, as one that was suspended.
    if (sentAt - this.#confirmedAt > this.#options.leaseMs && this.#joining.isOver) {
      this.#joining = new Joining(this.#options.intervalMs);
    }
    const joining = this.#joining;
    const answer = await this.#options.beat(joining.question);
    this.#confirmedAt = sentAt;
    this.#position = answer.position;
    this.#runners = Math.max(1, answer.runners);
    const hadJoined = joining.isOver;
    const asks = joining.answered(answer, sentAt);
    this.#options.onShare();
    if (!hadJoined && joining.isOver) this.#options.onJoined();
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
    if (asks) await this.#options.announce();
  }

  /** E11: chunks in our name that nobody works on: the reply to their lease was lost. */
  async #returnStrays(answer: HeartbeatAnswer): Promise<void> {
    const before = this.#strays;
    const now = performance.now();
    this.#strays = new Map();
    for (const { chunkId, epoch } of answer.chunks) {
      if (this.#options.holds(chunkId)) continue;
      const stray = `${chunkId} ${epoch}`;
      // Only one that has been astray for as long as from beat to beat: a chunk may be leased before its reply is here.
      const since = before.get(stray) ?? now;
      if (now - since >= this.#options.intervalMs * 0.9) await this.#options.giveBack(chunkId, epoch);
      else this.#strays.set(stray, since);
    }
  }
}
