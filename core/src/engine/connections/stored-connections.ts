import type { JsonObject } from '../../plugin/index.ts';
import type { Tenant } from '../api.ts';
import { BatchSenderError } from '../errors.ts';
import type { HostContext } from '../host-context.ts';
import type { SteerStore } from '../host-store.ts';
import { beginGrant, endGrant, type GrantEnv } from '../oauth/grant.ts';
import type { TokenRefresher } from '../oauth/token-refresher.ts';
import { givenTokenTimes, missingGrant } from '../oauth/tokens.ts';
import type { Registry } from '../registry.ts';
import type { SessionContext } from '../runner/open-session.ts';
import type { Store } from '../store.ts';
import { tenantOf } from '../tenant.ts';
import type {
  AuthorizationAnswer,
  AuthorizationEnd,
  Connection,
  ConnectionInput,
  ConnectionPatch,
  Connections,
  ConnectionTest,
  SecretRotation,
} from './api.ts';
import { checkConnection, providerFor } from './check-connection.ts';
import { mergePatch } from './credentials.ts';
import { isStoredConnection, newConnectionId } from './ids.ts';
import { openedConnection, openedWithDefaults, unseal } from './opened.ts';
import { rotateSecrets } from './rotate-secrets.ts';
import { sealCredentials } from './seal.ts';
import type { BlockReason, ConnectionChange, ConnectionRow } from './store.ts';
import { testConnection } from './test-connection.ts';
import { connectionView } from './view.ts';

export interface StoredConnectionsOptions extends GrantEnv {
  readonly steer: Pick<SteerStore, 'unblock'>;
  readonly refresher: TokenRefresher;
  readonly session: SessionContext;
  /** Of a default connection. */
  hostCredentials(type: string, provider: string): JsonObject;
  migrate(): Promise<void>;
  /** What waited for it in this process goes on. */
  onUnblocked(connectionId: string): void;
}

const pick = ({ code, message }: BlockReason): BlockReason => ({ code, message });

/** The connections of an engine: what `engine.connections` is. */
export class StoredConnections implements Connections {
  readonly #options: StoredConnectionsOptions;

  constructor(options: StoredConnectionsOptions) {
    this.#options = options;
  }

  async create(
    input: ConnectionInput,
    options: Parameters<Connections['create']>[1] = {},
  ): Promise<Connection> {
    const { store, registry, vault, migrate } = this.#options;
    await migrate();
    const { type, provider: providerName, name, credentials } = input;
    const { provider } = providerFor(registry, type, providerName);
    checkConnection(provider, { name, credentials });
    const id = newConnectionId();
    const { idempotency } = options;
    const stored = {
      ...{ id, tenantId: tenantOf(options), type, provider: providerName, name },
      credentials: sealCredentials(vault, id, credentials, provider.credentials),
      blocked: missingGrant(credentials, provider.oauth),
      tokens: givenTokenTimes(credentials, provider.oauth),
    };
    await store.insert(stored, idempotency === undefined ? undefined : { ...idempotency, ref: id });
    return this.get(id, options);
  }

  async get(connectionId: string, options?: Tenant): Promise<Connection> {
    return this.#view(await this.#row(connectionId, options));
  }

  async list(options?: Tenant): Promise<readonly Connection[]> {
    await this.#options.migrate();
    const rows = await this.#options.store.list(tenantOf(options));
    return rows.map((row) => this.#view(row));
  }

  async update(connectionId: string, patch: ConnectionPatch, options?: Tenant): Promise<Connection> {
    await this.#ownRow(connectionId, options);
    await this.#options.store.change(tenantOf(options), connectionId, (row) => this.#patched(row, patch));
    return this.get(connectionId, options);
  }

  async remove(connectionId: string, options?: Tenant): Promise<void> {
    await this.#ownRow(connectionId, options);
    await this.#options.store.remove(tenantOf(options), connectionId);
  }

  async test(connectionId: string, options?: Tenant): Promise<ConnectionTest> {
    const { registry, session } = this.#options;
    const row = await this.#row(connectionId, options);
    const { type, provider: providerName, blocked } = row;
    if (blocked?.code === 'not_authorized') return { ok: false, ...pick(blocked), latencyMs: 0 };
    const { registered, provider } = providerFor(registry, type, providerName);
    const pluginName = registered.plugin.name;
    const opened = isStoredConnection(row.id)
      ? openedWithDefaults(row.id, row.version, provider, await this.#fresh(row))
      : openedConnection(row.id, 0, provider, this.#options.hostCredentials(type, providerName));
    return testConnection(session, { type, providerName, provider, pluginName, opened });
  }

  async unblock(connectionId: string, options?: Tenant): Promise<Connection> {
    const { steer, onUnblocked } = this.#options;
    const { blocked } = await this.#row(connectionId, options);
    if (blocked?.code === 'not_authorized') {
      throw new BatchSenderError(
        'connection_not_authorized',
        blocked.message ?? 'Nobody has granted access yet',
      );
    }
    await steer.unblock(tenantOf(options), connectionId);
    onUnblocked(connectionId);
    return this.get(connectionId, options);
  }

  async authorize(
    connectionId: string,
    options: Tenant & { readonly returnUrl?: string } = {},
  ): Promise<{ readonly url: string }> {
    const row = await this.#ownRow(connectionId, options);
    return { url: await beginGrant(this.#options, row, options.returnUrl) };
  }

  async completeAuthorization(answer: AuthorizationAnswer): Promise<AuthorizationEnd> {
    await this.#options.migrate();
    return endGrant(this.#options, answer);
  }

  async rotateSecrets(): Promise<SecretRotation> {
    await this.#options.migrate();
    return rotateSecrets(this.#options.store, this.#options.vault);
  }

  /** Pure: it runs while the row is locked. */
  #patched(row: ConnectionRow, patch: ConnectionPatch): ConnectionChange {
    const { registry, vault } = this.#options;
    const { provider } = providerFor(registry, row.type, row.provider);
    const name = patch.name === undefined ? {} : { name: patch.name };
    if (patch.credentials === undefined) {
      checkConnection(provider, name);
      return name;
    }
    const before = unseal(vault, row.id, row.sealed ?? '');
    const credentials = mergePatch(before, patch.credentials) as JsonObject;
    checkConnection(provider, { ...name, credentials });
    const given = ['accessToken', 'refreshToken'].some((field) => credentials[field] !== before[field]);
    const tokens = given ? givenTokenTimes(credentials, provider.oauth) : undefined;
    return {
      ...name,
      credentials: sealCredentials(vault, row.id, credentials, provider.credentials),
      blocked: missingGrant(credentials, provider.oauth),
      ...(tokens === undefined ? {} : { tokens }),
    };
  }

  /** Its credentials now; tokens that are about to end are refreshed first. */
  async #fresh(row: ConnectionRow): Promise<JsonObject> {
    const { store, vault, refresher } = this.#options;
    await refresher.refresh(row.id, row.version);
    const loaded = await store.load(row.id);
    return unseal(vault, row.id, loaded?.sealed ?? '');
  }

  async #row(connectionId: string, options?: Tenant): Promise<ConnectionRow> {
    await this.#options.migrate();
    const row = await this.#options.store.get(tenantOf(options), connectionId);
    if (row !== undefined) return row;
    const shown = connectionId.slice(0, 100);
    throw new BatchSenderError('connection_not_found', `There is no connection ${shown}`);
  }

  async #ownRow(connectionId: string, options?: Tenant): Promise<ConnectionRow> {
    const row = await this.#row(connectionId, options);
    if (isStoredConnection(row.id)) return row;
    throw new BatchSenderError(
      'connection_is_default',
      `Connection ${row.id} is a default one, whose credentials come from the settings of the host: ` +
        'change them there, or create a connection with a name',
    );
  }

  #view(row: ConnectionRow): Connection {
    const provider = this.#options.registry.provider(row.type, row.provider);
    return connectionView(row, provider);
  }
}

/** The connections of an engine, over its store. */
export function storedConnections(
  context: HostContext,
  store: Store,
  registry: Registry,
  host: Pick<StoredConnectionsOptions, 'migrate' | 'onUnblocked'>,
): StoredConnections {
  const { session, ...rest } = context;
  const { connections, steer } = store;
  return new StoredConnections({
    ...rest,
    ...host,
    session,
    fetch: session.fetch,
    store: connections,
    steer,
    registry,
  });
}
