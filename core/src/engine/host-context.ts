import { guardedFetch } from '../plugin/guarded-fetch.ts';
import type { JsonObject, Logger } from '../plugin/index.ts';
import type { EngineOptions } from './api.ts';
import { TokenRefresher } from './oauth/token-refresher.ts';
import type { Registry } from './registry.ts';
import { ConnectionCache } from './runner/connection-cache.ts';
import type { SessionContext } from './runner/open-session.ts';
import type { Store } from './store.ts';
import { closedVault, createVault, type Vault } from './vault/vault.ts';

/** What an engine's connections need of its host, shared by all that opens sessions. */
export interface HostContext {
  readonly vault: Vault;
  readonly session: SessionContext;
  readonly refresher: TokenRefresher;
  /** Without a `/` at its end. */
  readonly publicUrl: string | undefined;
  /** Credentials of a default connection. */
  hostCredentials(type: string, provider: string): JsonObject;
}

/** @throws BatchSenderError `secret_key_invalid` */
export function hostContext(
  options: EngineOptions,
  {
    store,
    registry,
    logger,
    report,
  }: {
    readonly store: Store;
    readonly registry: Registry;
    readonly logger: Logger;
    readonly report: SessionContext['report'];
  },
): HostContext {
  const network = { allow: options.allowNetworks ?? [] };
  const fetch = guardedFetch(network);
  const publicUrl = options.publicUrl?.replace(/\/$/, '');
  const vault = options.secretKeys === undefined ? closedVault() : createVault(options.secretKeys);
  return {
    vault,
    publicUrl,
    session: {
      logger,
      network,
      fetch,
      callbackUrl: (type, provider, connectionId, jobId) =>
        publicUrl === undefined
          ? undefined
          : `${publicUrl}/v1/callbacks/${type}/${provider}/${connectionId}?job=${jobId}`,
      report,
    },
    refresher: new TokenRefresher({ store: store.connections, registry, vault, fetch, logger }),
    hostCredentials: (type, provider) => options.credentials?.(type, provider) ?? {},
  };
}

/** The connections that a runner has at hand. */
export function connectionCache(
  store: Store,
  { vault, refresher, hostCredentials }: HostContext,
): ConnectionCache {
  return new ConnectionCache({
    store: store.connections,
    vault,
    credentials: hostCredentials,
    refresh: (connectionId, version) => refresher.refresh(connectionId, version),
  });
}
