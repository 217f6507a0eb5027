import type { JsonObject, Provider } from '../../plugin/index.ts';
import type { Registry } from '../registry.ts';
import type { Vault } from '../vault/vault.ts';
import { isStoredConnection } from './ids.ts';
import { type OpenedConnection, openedConnection, openedWithDefaults, unseal } from './opened.ts';
import type { ConnectionStore } from './store.ts';

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
  readonly provider: Provider;
  readonly pluginName: string;
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
    const [type = '', providerName = ''] = connectionId.split('.');
    return connectionOf(env, type, providerName, (provider) =>
      openedConnection(connectionId, 0, provider, env.hostCredentials(type, providerName)),
    );
  }
  const loaded = await env.store.load(connectionId);
  if (loaded?.sealed == null) return undefined;
  const credentials = unseal(env.vault, connectionId, loaded.sealed);
  return connectionOf(env, loaded.type, loaded.provider, (provider) =>
    openedWithDefaults(connectionId, loaded.version, provider, credentials),
  );
}

function connectionOf(
  { registry }: CredentialsEnv,
  type: string,
  providerName: string,
  open: (provider: Provider) => OpenedConnection,
): ProviderConnection | undefined {
  const pluginName = registry.get(type)?.plugin.name;
  const provider = registry.provider(type, providerName);
  if (pluginName === undefined || provider === undefined) return undefined;
  return { type, providerName, provider, pluginName, opened: open(provider) };
}
