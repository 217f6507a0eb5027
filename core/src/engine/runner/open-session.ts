import type {
  JsonObject,
  Logger,
  NetworkPolicy,
  OpenContext,
  Provider,
  Session,
} from '../../plugin/index.ts';
import { valueProblems } from '../intake/payload-check.ts';

export interface SessionContext {
  readonly logger: Logger;
  readonly network: NetworkPolicy;
  readonly fetch: typeof globalThis.fetch;
  callbackUrl(type: string, provider: string, connectionId: string, jobId: string): string | undefined;
  report(connectionId: string, answer: Parameters<OpenContext['report']>[0]): void;
}

/** For whom a session is opened. */
export interface SessionTarget {
  readonly type: string;
  /** Its name. */
  readonly providerName: string;
  readonly provider: Provider;
  readonly pluginName: string;
  readonly connectionId: string;
  readonly credentials: never;
}

/** Credentials that the provider's schema does not accept: the connection is blocked (E18). */
export class InvalidCredentialsError extends Error {
  override readonly name = 'InvalidCredentialsError';
}

/** Opens a session of a provider. @throws InvalidCredentialsError, and whatever the provider throws. */
export async function openSession(
  { logger, network, fetch, callbackUrl, report }: SessionContext,
  { type, providerName, provider, pluginName, connectionId, credentials }: SessionTarget,
): Promise<Session> {
  const problems = valueProblems(provider.credentials, credentials as JsonObject);
  if (problems.length > 0) {
    const fields = problems.map((problem) => `${problem.path || '/'} ${problem.message}`).join('; ');
    throw new InvalidCredentialsError(
      `The credentials of connection ${connectionId} are not valid: ${fields}`,
    );
  }
  const session = await provider.open(credentials, {
    logger,
    connectionId,
    network,
    fetch,
    callbackUrl: (jobId) => callbackUrl(type, providerName, connectionId, jobId),
    report: (answer) => report(connectionId, answer),
  });
  if (typeof session?.process !== 'function' && typeof session?.processBatch !== 'function') {
    throw new Error(
      `Plugin ${pluginName}: open() of provider '${providerName}' returned no process or processBatch`,
    );
  }
  if (session.process !== undefined && (provider.batchSize ?? 1) > 1) {
    throw new Error(
      `Plugin ${pluginName}: provider '${providerName}' has a batchSize above 1 but no processBatch`,
    );
  }
  return session;
}
