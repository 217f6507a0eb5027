import type { JsonObject } from '../../plugin/index.ts';
import {
  type CredentialsEnv,
  credentialsOf,
  type ProviderConnection,
} from '../connections/credentials-of.ts';

/** What is known of a connection when something comes in through it. */
export interface ConnectionFacts extends Omit<ProviderConnection, 'opened'> {
  readonly connectionId: string;
  readonly credentials: JsonObject;
}

/**
 * Finds a connection by its id; undefined if there is none.
 * @throws BatchSenderError `secret_key_missing`, `secret_key_wrong`
 */
export type FindConnection = (connectionId: string) => Promise<ConnectionFacts | undefined>;

/** Finds default connections, and stored ones. */
export function findConnection(env: CredentialsEnv): FindConnection {
  return async (connectionId) => {
    const found = await credentialsOf(env, connectionId);
    if (found === undefined) return undefined;
    const { opened, ...facts } = found;
    return { ...facts, connectionId, credentials: opened.credentials };
  };
}
