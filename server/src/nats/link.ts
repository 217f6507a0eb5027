import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';

export interface LinkOptions {
  readonly connection: ConnectionOptions;
  /** Connected, or connected again: what the server held of us may be gone. */
  onUp(nc: NatsConnection): void;
  onDown(): void;
  /** A try that failed, or what the server complains about. */
  onError(error: unknown): void;
}

const RETRY_MS = 1_000;

/** A connection that is made, and made again, for ever. */
export class Link {
  readonly #options: LinkOptions;
  #nc: NatsConnection | undefined;
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Resolves after the first try, whatever came of it. */
  open(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = this.#run(resolve);
    return promise;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#nc?.close();
    await this.#running;
  }

  async #run(onTried: () => void): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        this.#nc = await connect(this.#options.connection);
        void this.#watch(this.#nc);
        if (!signal.aborted) this.#options.onUp(this.#nc);
        onTried();
        if (signal.aborted) await this.#nc.close();
        await this.#nc.closed();
        this.#options.onDown();
      } catch (error) {
        this.#options.onError(error);
        onTried();
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #watch(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') this.#options.onDown();
      else if (status.type === 'reconnect') this.#options.onUp(nc);
      else if (status.type === 'error') this.#options.onError(status.error);
    }
  }
}
