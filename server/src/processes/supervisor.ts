import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, IsolationEnd } from '@batchsender/core';
import type { Logger } from 'pino';
import { StartError } from '../cli/start-error.ts';
import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import { ChannelError } from './channel.ts';
import { Child, type ChildOptions } from './child.ts';
import { ChildMetrics } from './child-metrics.ts';
import { explainEnd } from './explain-end.ts';
import { recoverFrom } from './recover.ts';
import { SoloPool } from './solo-pool.ts';

export interface SupervisorOptions extends Omit<ChildOptions, 'isolate'> {
  /** The parent's own engine, which is not started. */
  readonly engine: Pick<Engine, 'recoverRunner'>;
  readonly logger: Logger;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** A child that lived so long was well: the next one starts at once. */
const WELL_MS = 30_000;

/** A start is given up after so many children that ended before they could work. */
const LIVES = 3;
const NEVER_WORKED =
  'The runner process ended each time before it could work: the log has the reason. ' +
  'A plugin that ends the process when it is loaded does this.';

/** Keeps a child process with the runner alive (E21), and children for single chunks beside it. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #solo: SoloPool;
  readonly #metrics = new ChildMetrics();
  readonly #stopping = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  #child: Child | undefined;
  #kept: Promise<void> | undefined;
  #graceMs = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const isolate = (): Promise<IsolationEnd> => Promise.resolve({ state: 'refused' });
    this.#solo = new SoloPool({ ...options, isolate, metrics: this.#metrics });
  }

  /** Resolves when the first child works. @throws StartError if it cannot for a reason that it names. */
  start(): Promise<void> {
    this.#kept ??= this.#keep();
    return this.#started.promise;
  }

  /** True while the child gives signs of life and its runner works. */
  get ready(): boolean {
    return this.#child?.ready === true && this.#child.fresh;
  }

  /** False while the child's transport between processes carries nothing. */
  get transportReady(): boolean {
    return this.#child?.transportReady ?? true;
  }

  /** The runner's child; undefined while there is none. */
  get child(): Child | undefined {
    return this.#child;
  }

  /** The metrics of the children, those included that have ended. */
  metrics(): Promise<readonly MetricsSnapshot[]> {
    const runner = this.#child === undefined ? [] : [this.#child];
    return this.#metrics.collect([...runner, ...this.#solo.children]);
  }

  /** Lets the calls in flight end for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#graceMs = graceMs;
    this.#stopping.abort();
    await Promise.all([this.#solo.stop(graceMs), this.#kept]);
  }

  async #keep(): Promise<void> {
    let delayMs = 0;
    for (let lives = 1; !this.#isStopping; lives++) {
      const startedAt = performance.now();
      await this.#oneLife();
      if (this.#isStopping) return;
      if (lives === LIVES) this.#started.reject(new StartError(NEVER_WORKED));
      const well = performance.now() - startedAt > WELL_MS;
      delayMs = well ? 0 : Math.min(MAX_DELAY_MS, Math.max(FIRST_DELAY_MS, delayMs * 2));
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** From the start of a child to the recovery of what it left. */
  async #oneLife(): Promise<void> {
    const { logger } = this.#options;
    const child = new Child({ ...this.#options, isolate: (chunk) => this.#solo.run(chunk) });
    this.#child = child;
    const stop = (): void => void child.stop(this.#graceMs);
    this.#stopping.signal.addEventListener('abort', stop, { once: true });
    await this.#setToWork(child);
    const end = await child.ended;
    this.#child = undefined;
    await this.#metrics.retire(child);
    this.#stopping.signal.removeEventListener('abort', stop);
    const chunks = await recoverFrom(this.#options, child, { alone: false });
    if (this.#isStopping && end.code === 0) return;
    logger.error(...explainEnd(child, end, chunks));
  }

  /** Whatever goes wrong ends the child. */
  async #setToWork(child: Child): Promise<void> {
    try {
      await child.open();
      await child.prepare(false);
      await child.channel.ask('work', null);
      this.#started.resolve();
    } catch (error) {
      // One that died is not to blame for sure: it may have had a chunk already.
      if (!(error instanceof ChannelError) || error.name === 'ChannelError') return;
      this.#started.reject(new StartError(error.message, { cause: error }));
      this.#options.logger.error({ pid: child.pid, err: error }, 'the runner process could not start');
      child.kill();
    }
  }
}
