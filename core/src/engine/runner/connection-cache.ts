import type { JsonObject, Provider } from '../../plugin/index.ts';
import { isStoredConnection } from '../connections/ids.ts';
import {
  isKeyError,
  type OpenedConnection,
  openedConnection,
  openedWithDefaults,
  UnusableConnectionError,
  unseal,
} from '../connections/opened.ts';
import type { ConnectionStore, LoadedConnection } from '../connections/store.ts';
import type { Vault } from '../vault/vault.ts';

export interface ConnectionCacheOptions {
  readonly store: Pick<ConnectionStore, 'load'>;
  readonly vault: Vault;
  /** Of a default connection. */
  credentials(type: string, provider: string): JsonObject;
  /** Refreshes the OAuth tokens of a connection, unless somebody else does or did. Must not throw. */
  refresh(connectionId: string, version: number): Promise<unknown>;
}

/** Whose credentials are asked for. */
export interface ConnectionPlace {
  readonly connectionId: string;
  readonly type: string;
  readonly provider: string;
}

interface Entry {
  readonly opened: OpenedConnection;
  /** By the monotonic clock: when it is time for other tokens, and when these end. */
  refreshAt: number;
  readonly expiresAt: number;
}

/** While a refresh is under way, or failed, the tokens at hand are used for so long before it is asked for again. */
const ASK_AGAIN_MS = 5_000;

/** The credentials of the connections that this process works with, one for each connection. */
export class ConnectionCache {
  readonly #options: ConnectionCacheOptions;
  readonly #entries = new Map<string, Promise<Entry>>();
  /** Versions of the stored ones that are at hand. */
  readonly #versions = new Map<string, number>();

  constructor(options: ConnectionCacheOptions) {
    this.#options = options;
  }

  /** Stored connections that are at hand. */
  get ids(): readonly string[] {
    return [...this.#versions.keys()];
  }

  /** @throws UnusableConnectionError; Error while nothing can be done with it, such as with tokens that have ended. */
  async get(place: ConnectionPlace, provider: Provider): Promise<OpenedConnection> {
    const entry = await this.#entry(place, provider);
    const now = performance.now();
    if (now < entry.refreshAt) return entry.opened;
    const { connectionId, version } = entry.opened;
    entry.refreshAt = now + ASK_AGAIN_MS;
    const refreshed = this.#options.refresh(connectionId, version);
    // Those at hand live on: whoever refreshes tells of the new version.
    if (now < entry.expiresAt) return entry.opened;
    await refreshed;
    this.#forget(connectionId);
    const next = await this.#entry(place, provider);
    if (performance.now() < next.expiresAt) return next.opened;
    this.#forget(connectionId);
    throw new Error(
      `The access token of connection ${connectionId} has ended, and there is no other one now`,
    );
  }

  /** The connection has credentials of this version. True if others are at hand. */
  changed(connectionId: string, version: number): boolean {
    const known = this.#versions.get(connectionId);
    if (known === undefined || known >= version) return false;
    this.#forget(connectionId);
    return true;
  }

  #forget(connectionId: string): void {
    this.#entries.delete(connectionId);
    this.#versions.delete(connectionId);
  }

  #entry(place: ConnectionPlace, provider: Provider): Promise<Entry> {
    const { connectionId } = place;
    let entry = this.#entries.get(connectionId);
    if (entry === undefined) {
      entry = this.#open(place, provider);
      this.#entries.set(connectionId, entry);
      entry.catch(() => this.#entries.delete(connectionId));
    }
    return entry;
  }

  async #open({ connectionId, type, provider: name }: ConnectionPlace, provider: Provider): Promise<Entry> {
    if (!isStoredConnection(connectionId)) {
      const credentials = this.#options.credentials(type, name);
      const opened = openedConnection(connectionId, 0, provider, credentials);
      return { opened, refreshAt: Number.POSITIVE_INFINITY, expiresAt: Number.POSITIVE_INFINITY };
    }
    const askedAt = performance.now();
    const loaded = await this.#options.store.load(connectionId);
    if (loaded?.sealed == null) throw new Error(`Connection ${connectionId} does not exist any more`);
    const { version, tokens } = loaded;
    const opened = openedWithDefaults(connectionId, version, provider, this.#unseal(connectionId, loaded));
    this.#versions.set(connectionId, version);
    // Without a refresh token nothing can be done: the provider says when the other one has ended.
    const refreshAt = askedAt + (tokens?.refreshInMs ?? Number.POSITIVE_INFINITY);
    const expiresAt =
      refreshAt === Number.POSITIVE_INFINITY ? refreshAt : askedAt + (tokens?.expiresInMs ?? 0);
    return { opened, refreshAt, expiresAt };
  }

  #unseal(connectionId: string, { sealed, version }: LoadedConnection): JsonObject {
    try {
      return unseal(this.#options.vault, connectionId, sealed ?? '');
    } catch (error) {
      throw isKeyError(error) ? new UnusableConnectionError(connectionId, version, error) : error;
    }
  }
}
