import type { JsonObject, Module, Provider } from '../../plugin/index.ts';
import type { EngineOptions } from '../api.ts';
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

/** Default connections: `<type>.<provider>`, with the credentials that the host was started with. */
export function defaultConnections(
  registry: Registry,
  credentials: EngineOptions['credentials'],
): FindConnection {
  return async (connectionId) => {
    const [type = '', providerName = '', ...rest] = connectionId.split('.');
    const registered = registry.get(type);
    const provider = registry.provider(type, providerName);
    if (registered === undefined || provider === undefined || rest.length > 0) return undefined;
    return {
      connectionId,
      type,
      providerName,
      module: registered.module,
      provider,
      pluginName: registered.plugin.name,
      credentials: credentials?.(type, providerName) ?? {},
      tenantId: undefined,
    };
  };
}
