import type { Session } from '../../plugin/index.ts';
import { openSession, type SessionContext } from './open-session.ts';
import type { BatchPlan } from './prepare.ts';

/** A session that somebody works with. */
export interface HeldSession {
  readonly session: Session;
  /** To be called once, when no call of it is in flight any more. */
  release(): void;
}

interface Entry {
  readonly session: Promise<Session>;
  readonly connectionId: string;
  readonly version: number;
  users: number;
}

/** Opens a session for each connection and version of its credentials, lazily. Old ones are closed when nobody uses them. */
export class SessionCache {
  /** By connection and version. */
  readonly #open = new Map<string, Entry>();
  /** The newest versions of connections whose credentials have changed. */
  readonly #newest = new Map<string, number>();
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async acquire(plan: BatchPlan): Promise<HeldSession> {
    const entry = this.#open.get(keyOf(plan.connection)) ?? this.#start(plan);
    entry.users += 1;
    try {
      return { session: await entry.session, release: () => this.#release(entry) };
    } catch (error) {
      // One that could not be opened is tried again with the next chunk.
      this.#open.delete(keyOf(entry));
      throw error;
    }
  }

  /** The connection has newer credentials: its other sessions end when nothing of them is in flight. */
  retire(connectionId: string, version: number): void {
    this.#newest.set(connectionId, Math.max(version, this.#newest.get(connectionId) ?? 0));
    for (const entry of this.#open.values()) if (this.#isDone(entry)) this.#close(entry);
  }

  async close(): Promise<void> {
    const entries = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(entries.map(async ({ session }) => (await session).close?.()));
  }

  #start({ batch: { type, provider: providerName }, provider, pluginName, connection }: BatchPlan): Entry {
    const { connectionId, version, credentials } = connection;
    const target = { type, providerName, provider, pluginName, connectionId, credentials };
    const session = openSession(this.#context, target);
    const entry: Entry = { session, connectionId, version, users: 0 };
    this.#open.set(keyOf(entry), entry);
    return entry;
  }

  #release(entry: Entry): void {
    entry.users -= 1;
    if (this.#isDone(entry)) this.#close(entry);
  }

  #isDone({ connectionId, version, users }: Entry): boolean {
    return users === 0 && version < (this.#newest.get(connectionId) ?? 0);
  }

  #close(entry: Entry): void {
    if (!this.#open.delete(keyOf(entry))) return;
    entry.session
      .then((session) => session.close?.())
      .catch((error: Error) =>
        this.#context.logger.warn(
          { err: error, connectionId: entry.connectionId },
          'a session did not close',
        ),
      );
  }
}

const keyOf = ({ connectionId, version }: Pick<Entry, 'connectionId' | 'version'>): string =>
  `${version} ${connectionId}`;
