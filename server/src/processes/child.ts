import type { ChildProcess } from 'node:child_process';
import type { IsolatedChunk, IsolationEnd } from '@batchsender/core';
import { type Channel, openChannel } from './channel.ts';
import { type ForkOptions, forkChild } from './fork-child.ts';
import type { ChildCalls, ParentCalls, RunnerOrders } from './protocol.ts';

export interface ChildOptions extends ForkOptions {
  readonly orders: RunnerOrders;
  /** A child that works and gives no sign of life for so long is killed. */
  readonly silentMs: number;
  isolate(chunk: IsolatedChunk): Promise<IsolationEnd>;
}

/** How a child has ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was killed since it gave no sign of life. */
  readonly silent: boolean;
}

const LOOK_MS = 250;
/** Loading plugins may take its time, and blocks the event loop. */
const OPEN_MS = 60_000;
/** A look that comes so late says that this process was stopped or starved: what the child sent is not read yet. */
const OWN_STALL_MS = 1_000;

/** A child process under watch. */
export class Child {
  readonly channel: Channel<ChildCalls, ParentCalls>;
  readonly ended: Promise<ChildEnd>;
  /** Names its runner, as soon as it may lease something. */
  runnerId: string | undefined;
  /** What it says of its own runner. */
  ready = false;
  /** Its transport between processes, if it has one, carries references. */
  transportReady = true;
  readonly #process: ChildProcess;
  readonly #options: ChildOptions;
  readonly #timer: NodeJS.Timeout;
  #signAt: number = performance.now();
  #lookedAt: number = performance.now();
  #silent = false;
  #hasEnded = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#process = forkChild(options);
    this.channel = openChannel(this.#process);
    this.channel.serve('beat', ({ ready, transportReady }) => {
      this.#signAt = performance.now();
      this.ready = ready;
      this.transportReady = transportReady;
    });
    this.channel.serve('isolate', (chunk) => options.isolate(chunk));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    const { promise, resolve } = Promise.withResolvers<ChildEnd>();
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearInterval(this.#timer);
      process.off('exit', this.#onExit);
      this.ready = false;
      this.#hasEnded = true;
      resolve({ code, signal, silent: this.#silent });
    };
    this.ended = promise;
    this.#process.once('exit', end);
    // It could not be started at all: then there is no exit.
    this.#process.once('error', () => {
      if (this.#process.pid === undefined) end(null, null);
    });
    process.on('exit', this.#onExit);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** True while it gives signs of life. */
  get fresh(): boolean {
    return performance.now() - this.#signAt < this.#options.silentMs;
  }

  /** Tells it its orders. @throws ChannelError if it cannot load what it needs, or ends. */
  async open(): Promise<void> {
    await this.channel.ask('open', this.#options.orders);
  }

  /** Has it make its engine. */
  async prepare(alone: boolean): Promise<void> {
    const { runnerId } = await this.channel.ask('prepare', { alone });
    this.runnerId = runnerId;
  }

  /** Ends it gracefully, and by force if that takes longer than `graceMs` and what it needs to write down the rest. */
  async stop(graceMs: number): Promise<ChildEnd> {
    this.channel.ask('stop', { graceMs }).catch(() => undefined);
    const timer = setTimeout(() => this.kill(), graceMs + STOP_MS);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #look(): void {
    const now = performance.now();
    const stalled = now - this.#lookedAt > LOOK_MS + OWN_STALL_MS;
    this.#lookedAt = now;
    if (stalled) this.#signAt = now;
    const limitMs =
      this.runnerId === undefined ? Math.max(OPEN_MS, this.#options.silentMs) : this.#options.silentMs;
    if (now - this.#signAt < limitMs) return;
    this.#silent = true;
    this.kill();
  }

  readonly #onExit = (): void => this.kill();
}

/** Beyond the grace period: flushing, and closing the pools. */
const STOP_MS = 8_000;
