import { scrubText } from '../../plugin/scrub.ts';
import { DEFAULT_TENANT } from '../api.ts';
import type { AuditInput, AuditStore } from '../audit.ts';
import type { ConnectionFacts } from './connection-facts.ts';

/** Refusals of a connection and code share an entry for so long, in milliseconds. */
const SHARE_MS = 60_000;
/** Further ones are written at most so often, in milliseconds. */
const WRITE_MS = 1_000;

/** Connections and codes after which old ones are forgotten. */
const MAX_SHARED = 1_000;

interface Shared {
  readonly id: Promise<number | undefined>;
  readonly since: number;
  /** Not written yet. */
  more: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Audit entries for what came in from outside and was not believed. Anybody can send such requests as fast as
 * they like: those of a minute share an entry, whose count is written once a second at most.
 */
export class Refusals {
  readonly #store: AuditStore;
  readonly #shared = new Map<string, Shared>();
  readonly #onError: (error: unknown) => void;

  constructor(store: AuditStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** `code` must come from our code or a plugin's, never from the request. The first `message` stands for all. */
  add(
    connection: ConnectionFacts,
    action: string,
    code: string,
    { message, times = 1 }: { readonly message?: string; readonly times?: number } = {},
  ): void {
    const key = JSON.stringify([connection.connectionId, action, code]);
    const now = performance.now();
    const known = this.#shared.get(key);
    if (known !== undefined && now - known.since < SHARE_MS) {
      known.more += times;
      known.timer ??= setTimeout(() => void this.#write(known), WRITE_MS).unref();
      return;
    }
    if (known !== undefined) void this.#write(known);
    if (this.#shared.size >= MAX_SHARED) this.#forget(now);
    const entry: AuditInput = {
      action,
      actor: 'provider',
      target: connection.connectionId,
      data: { code: code.slice(0, 100), ...(message === undefined ? {} : { message: scrubText(message) }) },
    };
    const id = this.#store.record(connection.tenantId ?? DEFAULT_TENANT, entry, times).catch((error) => {
      this.#onError(error);
      this.#shared.delete(key);
      return undefined;
    });
    this.#shared.set(key, { id, since: now, more: 0, timer: undefined });
  }

  /** Writes what has not been written. */
  async flush(): Promise<void> {
    await Promise.all([...this.#shared.values()].map((shared) => this.#write(shared)));
  }

  /** Those of whom nothing was heard for a while. */
  #forget(now: number): void {
    for (const [key, { since, more }] of this.#shared) {
      if (more === 0 && now - since >= SHARE_MS) this.#shared.delete(key);
    }
  }

  async #write(shared: Shared): Promise<void> {
    clearTimeout(shared.timer);
    shared.timer = undefined;
    const id = await shared.id;
    const { more } = shared;
    shared.more = 0;
    if (id === undefined || more === 0) return;
    await this.#store.addCount(id, more).catch(this.#onError);
  }
}
