import type { JsonObject, Module, Provider } from '../../plugin/index.ts';
import { isStoredConnection } from '../connections/ids.ts';
import { openedConnection, openedWithDefaults, unseal } from '../connections/opened.ts';
import type { ConnectionStore } from '../connections/store.ts';
import type { HostContext } from '../host-context.ts';
import type { Registry } from '../registry.ts';

/** What is known of a connection when something comes in through it. */
export interface ConnectionFacts {
  readonly connectionId: string;
  readonly type: string;
  readonly providerName: string;
  readonly module: Module;
  readonly provider: Provider;
  /** Name of the package. */
  readonly pluginName: string;
  readonly credentials: JsonObject;
  /** Its owner; undefined of a default connection, which all tenants share. */
  readonly tenantId: string | undefined;
}

/** Finds a connection by its id; undefined if there is none. */
export type FindConnection = (connectionId: string) => Promise<ConnectionFacts | undefined>;

export interface FindConnectionOptions extends Pick<HostContext, 'vault' | 'hostCredentials'> {
  readonly registry: Registry;
  readonly store: Pick<ConnectionStore, 'load'>;
}

/**
 * Finds default connections, `<type>.<provider>`, with the credentials that the host was started with, and
 * stored ones. @throws BatchSenderError `secret_key_missing`, `secret_key_wrong`
 */
export function findConnection(options: FindConnectionOptions): FindConnection {
  return (connectionId) =>
    isStoredConnection(connectionId)
      ? findStored(options, connectionId)
      : Promise.resolve(findDefault(options, connectionId));
}

function findDefault(
  { registry, hostCredentials }: FindConnectionOptions,
  connectionId: string,
): ConnectionFacts | undefined {
  const [type = '', providerName = '', ...rest] = connectionId.split('.');
  const known = knownProvider(registry, type, providerName);
  if (known === undefined || rest.length > 0) return undefined;
  const { credentials } = openedConnection(
    connectionId,
    0,
    known.provider,
    hostCredentials(type, providerName),
  );
  return { ...known, connectionId, credentials, tenantId: undefined };
}

async function findStored(
  { registry, store, vault }: FindConnectionOptions,
  connectionId: string,
): Promise<ConnectionFacts | undefined> {
  const row = await store.load(connectionId);
  const known = row === undefined ? undefined : knownProvider(registry, row.type, row.provider);
  if (row?.sealed == null || known === undefined) return undefined;
  const given = unseal(vault, connectionId, row.sealed);
  const { credentials } = openedWithDefaults(connectionId, row.version, known.provider, given);
  return { ...known, connectionId, credentials, tenantId: row.tenantId ?? undefined };
}

function knownProvider(registry: Registry, type: string, providerName: string) {
  const registered = registry.get(type);
  const provider = registry.provider(type, providerName);
  if (registered === undefined || provider === undefined) return undefined;
  return { type, providerName, provider, module: registered.module, pluginName: registered.plugin.name };
}
