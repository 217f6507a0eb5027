import type { IsolatedChunk, IsolationEnd } from '@batchsender/core';
import { Child, type ChildOptions } from './child.ts';
import type { ChildMetrics } from './child-metrics.ts';
import { explainEnd } from './explain-end.ts';
import { type RecoverOptions, recoverFrom } from './recover.ts';

export type SoloPoolOptions = ChildOptions & RecoverOptions & { readonly metrics: ChildMetrics };

/** Chunks that run alone at once: each has a process, while the others go on with their work. */
const MOST = 2;
/** A child that has nothing to do waits so long for the next chunk: those that died in company are many. */
const IDLE_MS = 5_000;

interface Idle {
  readonly child: Child;
  readonly timer: NodeJS.Timeout;
}

/** Children that run one chunk at a time, alone (E21). */
export class SoloPool {
  readonly #options: SoloPoolOptions;
  readonly #busy = new Set<Promise<IsolationEnd>>();
  readonly #children = new Set<Child>();
  #idle: Idle[] = [];
  #stopping = false;

  constructor(options: SoloPoolOptions) {
    this.#options = options;
  }

  /** Runs a chunk alone; refuses it if there are as many as may be. */
  async run(chunk: IsolatedChunk): Promise<IsolationEnd> {
    if (this.#stopping || this.#busy.size >= MOST) return { state: 'refused' };
    const work = this.#run(chunk).catch((error: unknown): IsolationEnd => {
      if (!this.#stopping)
        this.#options.logger.error({ err: error }, 'a process for a single chunk could not be started');
      return { state: 'refused' };
    });
    this.#busy.add(work);
    return work.finally(() => this.#busy.delete(work));
  }

  /** Those that live. */
  get children(): ReadonlySet<Child> {
    return this.#children;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle = [];
    await Promise.all([...this.#children].map((child) => child.stop(graceMs)));
    await Promise.allSettled(this.#busy);
  }

  async #run(chunk: IsolatedChunk): Promise<IsolationEnd> {
    // A job that is about to be given up has a process that nobody used before: what others left behind is not its fault.
    const child = (chunk.size > 1 ? this.#reuse() : undefined) ?? (await this.#start());
    const died = child.ended.then(() => undefined);
    const prepared = await Promise.race([child.prepare(true).then(() => true), died]).catch(() => undefined);
    if (prepared === undefined) {
      child.kill();
      return { state: 'refused' };
    }
    const ended = await Promise.race([child.channel.ask('run', chunk), died]).catch((error: Error) => error);
    // One that lives on, but could not do it, has no chunk any more either; that is not the chunk's fault.
    if (ended === undefined || ended instanceof Error)
      return this.#bury(child, ended === undefined || ended.name === 'ChannelError');
    child.runnerId = undefined;
    await this.#options.metrics.ask(child);
    this.#keep(child);
    if (!ended.taken) return { state: 'refused' };
    return { state: 'ended', ...(ended.dueInMs === undefined ? {} : { dueInMs: ended.dueInMs }) };
  }

  async #bury(child: Child, died: boolean): Promise<IsolationEnd> {
    child.kill();
    const end = await child.ended;
    // Whoever was ended while the server stops is not to blame.
    const chunks = await recoverFrom(this.#options, child, { alone: died && !this.#stopping });
    if (!this.#stopping) this.#options.logger.error(...explainEnd(child, end, chunks));
    return chunks.length === 0 ? { state: 'refused' } : { state: 'died' };
  }

  async #start(): Promise<Child> {
    const child = new Child(this.#options);
    this.#children.add(child);
    void child.ended.then(() => {
      this.#children.delete(child);
      void this.#options.metrics.retire(child);
      this.#idle = this.#idle.filter((idle) => idle.child !== child);
    });
    try {
      await child.open();
    } catch (error) {
      child.kill();
      throw error;
    }
    return child;
  }

  #reuse(): Child | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) clearTimeout(idle.timer);
    return idle?.child;
  }

  #keep(child: Child): void {
    if (this.#stopping) return;
    const timer = setTimeout(() => {
      this.#idle = this.#idle.filter((idle) => idle.child !== child);
      void child.stop(0);
    }, IDLE_MS);
    this.#idle.push({ child, timer });
  }
}
