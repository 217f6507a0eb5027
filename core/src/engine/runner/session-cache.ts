import type { JsonObject, Logger, NetworkPolicy, OpenContext, Session } from '../../plugin/index.ts';
import { valueProblems } from '../intake/payload-check.ts';
import type { BatchPlan } from './prepare.ts';

export interface SessionContext {
  readonly logger: Logger;
  readonly network: NetworkPolicy;
  readonly fetch: typeof globalThis.fetch;
  callbackUrl(type: string, provider: string, connectionId: string, jobId: string): string | undefined;
  report(connectionId: string, answer: Parameters<OpenContext['report']>[0]): void;
}

/** Credentials that the provider's schema does not accept: the connection is blocked (E18). */
export class InvalidCredentialsError extends Error {
  override readonly name = 'InvalidCredentialsError';
}

/** Opens a session a connection, lazily, and closes them all in the end. */
export class SessionCache {
  readonly #open = new Map<string, Promise<Session>>();
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get(plan: BatchPlan): Promise<Session> {
    const { connectionId } = plan.batch;
    let session = this.#open.get(connectionId);
    if (session === undefined) {
      session = this.#start(plan);
      this.#open.set(connectionId, session);
      // A session that could not be opened is tried again with the next chunk.
      session.catch(() => this.#open.delete(connectionId));
    }
    return session;
  }

  async close(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(sessions.map(async (session) => (await session).close?.()));
  }

  async #start(plan: BatchPlan): Promise<Session> {
    const { type, provider, connectionId } = plan.batch;
    const problems = valueProblems(plan.provider.credentials, plan.credentials as JsonObject);
    if (problems.length > 0) {
      const fields = problems.map((problem) => `${problem.path || '/'} ${problem.message}`).join('; ');
      throw new InvalidCredentialsError(
        `The credentials of connection ${connectionId} are not valid: ${fields}`,
      );
    }
    const { logger, network, fetch, callbackUrl, report } = this.#context;
    const context: OpenContext = {
      logger,
      connectionId,
      network,
      fetch,
      callbackUrl: (jobId) => callbackUrl(type, provider, connectionId, jobId),
      report: (answer) => report(connectionId, answer),
    };
    const session = await plan.provider.open(plan.credentials, context);
    if (typeof session?.process !== 'function' && typeof session?.processBatch !== 'function') {
      throw new Error(
        `Plugin ${plan.pluginName}: open() of provider '${provider}' returned no process or processBatch`,
      );
    }
    if (session.process !== undefined && (plan.provider.batchSize ?? 1) > 1) {
      throw new Error(
        `Plugin ${plan.pluginName}: provider '${provider}' has a batchSize above 1 but no processBatch`,
      );
    }
    return session;
  }
}
