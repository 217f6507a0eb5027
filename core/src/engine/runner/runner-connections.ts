import { UnusableConnectionError } from '../connections/opened.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { ConnectionCache } from './connection-cache.ts';
import type { ConnectionGates } from './connection-gates.ts';
import type { ConnectionGate } from './gate.ts';
import { InvalidCredentialsError } from './open-session.ts';
import type { PlanCache } from './plan-cache.ts';
import type { BatchPlan } from './prepare.ts';
import type { HeldSession, SessionCache } from './session-cache.ts';

export interface RunnerConnectionsOptions {
  readonly plans: PlanCache;
  readonly sessions: SessionCache;
  readonly credentials: ConnectionCache;
  readonly gates: ConnectionGates;
  runs(): Iterable<ChunkRun>;
}

/** Above all versions. */
const REMOVED = Number.POSITIVE_INFINITY;

/** What a runner works with: the credentials and sessions of its connections, as they change. */
export class RunnerConnections {
  readonly #options: RunnerConnectionsOptions;
  #asked: readonly string[] = [];

  constructor(options: RunnerConnectionsOptions) {
    this.#options = options;
  }

  /** Stored connections whose credentials are at hand: the heartbeat asks for their versions. */
  ask(): readonly string[] {
    this.#asked = this.#options.credentials.ids;
    return this.#asked;
  }

  /** Undefined if the connection cannot be used here, which blocks it. */
  async plan(batchId: string): Promise<BatchPlan | undefined> {
    try {
      return await this.#options.plans.get(batchId);
    } catch (error) {
      if (!(error instanceof UnusableConnectionError)) throw error;
      this.#options.gates.blockUnopened(error, error.code, error.message);
      return undefined;
    }
  }

  /** Undefined if the connection is blocked, or its session could not be opened. */
  async open(plan: BatchPlan, gate: ConnectionGate): Promise<HeldSession | undefined> {
    if (gate.blocked) return undefined;
    const { sessions, gates } = this.#options;
    try {
      return await sessions.acquire(plan);
    } catch (error) {
      if (error instanceof InvalidCredentialsError) gates.block(plan, 'invalid_credentials', error.message);
      else gates.threw(plan, error);
      return undefined;
    }
  }

  /** The versions that were asked for. A connection without one was removed: nobody uses it any more. */
  answer(versions: Readonly<Record<string, number>>): void {
    for (const connectionId of this.#asked) this.#renew(connectionId, versions[connectionId] ?? REMOVED);
  }

  /** The connection has got credentials of this version: a session is opened anew, and a block is off. */
  changed(connectionId: string, version: number): void {
    this.#renew(connectionId, version);
    this.#options.gates.unblock(connectionId);
  }

  #renew(connectionId: string, version: number): void {
    const { credentials, sessions, gates } = this.#options;
    if (!credentials.changed(connectionId, version)) return;
    sessions.retire(connectionId, version);
    this.#stopOlder(connectionId, version);
    gates.unblock(connectionId);
  }

  /** What works with older credentials starts no more calls: what is left is given back, and taken anew. */
  #stopOlder(connectionId: string, version: number): void {
    for (const run of this.#options.runs()) {
      const { connection } = run.plan;
      if (connection.connectionId === connectionId && connection.version < version) run.stop('steered');
    }
  }
}
