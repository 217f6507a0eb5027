import type { JsonObject, Module, Provider } from '../../plugin/index.ts';
import type { Registry } from '../registry.ts';
import type { Vault } from '../vault/vault.ts';
import { isStoredConnection } from './ids.ts';
import { type OpenedConnection, openedConnection, openedWithDefaults, unseal } from './opened.ts';
import type { ConnectionStore, LoadedConnection } from './store.ts';

export interface CredentialsEnv {
  readonly store: Pick<ConnectionStore, 'load'>;
  readonly registry: Registry;
  readonly vault: Vault;
  /** Of a default connection. */
  hostCredentials(type: string, provider: string): JsonObject;
}

/** A connection with the provider that it is for. */
export interface ProviderConnection {
  readonly type: string;
  readonly providerName: string;
  readonly module: Module;
  readonly provider: Provider;
  /** Name of the package. */
  readonly pluginName: string;
  /** Its owner; undefined of a default connection, which all tenants share. */
  readonly tenantId: string | undefined;
  readonly opened: OpenedConnection;
}

/**
 * The credentials of any connection, read anew: for calls that are rare. Undefined if there is no such
 * connection, or no plugin for it. @throws BatchSenderError `secret_key_missing`, `secret_key_wrong`
 */
export async function credentialsOf(
  env: CredentialsEnv,
  connectionId: string,
): Promise<ProviderConnection | undefined> {
  if (!isStoredConnection(connectionId)) {
    const [type = '', providerName = '', ...rest] = connectionId.split('.');
    if (rest.length > 0) return undefined;
    return connectionOf(env, { type, provider: providerName, tenantId: null }, (provider) =>
      openedConnection(connectionId, 0, provider, env.hostCredentials(type, providerName)),
    );
  }
  const loaded = await env.store.load(connectionId);
  if (loaded?.sealed == null) return undefined;
  const credentials = unseal(env.vault, connectionId, loaded.sealed);
  return connectionOf(env, loaded, (provider) =>
    openedWithDefaults(connectionId, loaded.version, provider, credentials),
  );
}

function connectionOf(
  { registry }: CredentialsEnv,
  { type, provider: providerName, tenantId }: Pick<LoadedConnection, 'type' | 'provider' | 'tenantId'>,
  open: (provider: Provider) => OpenedConnection,
): ProviderConnection | undefined {
  const registered = registry.get(type);
  const provider = registry.provider(type, providerName);
  if (registered === undefined || provider === undefined) return undefined;
  const { module, plugin } = registered;
  const opened = open(provider);
  return {
    type,
    providerName,
    module,
    provider,
    pluginName: plugin.name,
    tenantId: tenantId ?? undefined,
    opened,
  };
}
