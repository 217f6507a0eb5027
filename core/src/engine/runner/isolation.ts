import type { Logger } from '../../plugin/index.ts';
import type { RetryPolicy } from '../api.ts';
import { type FullRetryPolicy, mergeRetry } from '../decisions/backoff.ts';
import { type Bisection, bisect, diedAlone } from '../decisions/bisect.ts';
import { dueJobs } from '../decisions/due.ts';
import { againFromEvents } from '../decisions/follow-up.ts';
import { type MutableTallies, NO_TALLIES } from '../decisions/tallies.ts';
import type { IsolatedChunk, IsolationEnd } from '../isolation.ts';
import type { ChunkLease, RunStore } from '../store.ts';
import { nextDueMs } from './chunk-outcome.ts';
import type { BatchPlan } from './prepare.ts';

export interface IsolationEnv {
  readonly runnerId: string;
  readonly store: RunStore;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  isolate(chunk: IsolatedChunk): Promise<IsolationEnd>;
}

/** A chunk that no process was free for is tried again after this time. */
const BUSY_MS = 1_000;

/** What a runner does with chunks that were at work when a process died (E21). It runs no code of their plugin. */
export class Isolation {
  readonly #env: IsolationEnv;
  readonly #handed = new Set<number>();

  constructor(env: IsolationEnv) {
    this.#env = env;
  }

  /** True for a chunk whose lease is about to go over to another process. */
  holds(chunkId: number): boolean {
    return this.#handed.has(chunkId);
  }

  /** Deals with a chunk under a lease of this runner. Answers when what is left of it falls due, as a run does. */
  async take(lease: ChunkLease, plan: BatchPlan): Promise<number | undefined> {
    this.#handed.add(lease.chunkId);
    try {
      const found = diedAlone(lease) ? await this.#bisect(lease, plan) : undefined;
      if (found === undefined) return await this.#runAlone(lease, plan);
      await this.#flush(lease, found.settled, found.end);
      return nextDueMs(found.end);
    } finally {
      this.#handed.delete(lease.chunkId);
    }
  }

  async #runAlone(lease: ChunkLease, plan: BatchPlan): Promise<number | undefined> {
    const { chunkId, epoch, size } = lease;
    const { isolate, runnerId } = this.#env;
    const end = await isolate({ chunkId, epoch, size, type: plan.batch.type, runnerId });
    if (end.state === 'ended') return end.dueInMs;
    if (end.state === 'died') return 0;
    await this.#flush(lease, [], { kind: 'giveBack', dueInMs: BUSY_MS });
    return BUSY_MS;
  }

  async #bisect(lease: ChunkLease, plan: BatchPlan): Promise<Bisection | undefined> {
    const { store, retry, logger } = this.#env;
    const { guarantee } = plan.provider;
    const policy: FullRetryPolicy = mergeRetry(retry, plan.batch.retry);
    const events = await store.loadAttempt(lease);
    // A guarantee that depends on the payload is the plugin's code: it is not run here.
    const repeatable =
      typeof guarantee !== 'function' && (guarantee.kind === 'keyed' || guarantee.kind === 'at-least-once');
    const found = bisect(dueJobs(lease.jobs, events), againFromEvents(events), lease, {
      policy,
      repeatable,
      random: Math.random,
    });
    for (const { seq, kind } of found?.settled ?? []) {
      logger.error(
        { plugin: plan.pluginName, job: `${lease.batchId}.${seq}` },
        `Plugin ${plan.pluginName}: a job ends ${kind}, since the process died each time it was at work, alone as well`,
      );
    }
    return found;
  }

  async #flush(
    lease: ChunkLease,
    settled: Bisection['settled'],
    end: Parameters<RunStore['flush']>[0]['end'],
  ): Promise<void> {
    const tallies: MutableTallies = { ...NO_TALLIES };
    for (const { kind } of settled) tallies[kind] += 1;
    const events = settled.map(({ seq, kind, data }) => ({ seq, kind, data: JSON.stringify(data) }));
    await this.#env.store.flush({ lease, flushNo: lease.flushNo, events, tallies, end });
  }
}
