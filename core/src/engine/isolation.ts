/** A chunk that must run in a process of its own: references only, no payloads and no secrets. */
export interface IsolatedChunk {
  readonly chunkId: number;
  readonly type: string;
  /** Jobs that it holds. */
  readonly size: number;
  /** The runner that holds its lease now, and under which epoch. */
  readonly runnerId: string;
  readonly epoch: number;
}

/** How a chunk that ran alone has ended. */
export type IsolationEnd =
  /** Its process lives: the chunk is closed, or was given back. `dueInMs`: when what is left of it falls due. */
  | { readonly state: 'ended'; readonly dueInMs?: number }
  /** Its process died after it had taken the chunk over; the death is counted. */
  | { readonly state: 'died' }
  /** It was not taken over: no process was free, or none could be started. */
  | { readonly state: 'refused' };

/** A chunk that was taken from a runner that is dead. */
export interface RecoveredChunk {
  readonly chunkId: number;
  readonly batchId: string;
  readonly type: string;
  readonly pluginName: string;
}

/** What a host needs that keeps its runners in processes of their own (E21). */
export interface IsolationOptions {
  /** The engine runs jobs of these types only. Default: all types of its plugins. */
  readonly types?: readonly string[];
  /**
   * Runs a chunk alone in a fresh process, by {@link IsolatedEngine.runIsolated} there. Called for chunks
   * that were at work when a runner died; must not throw.
   *
   * Without it such chunks run in this process like any other: a job that ends the process (an endless
   * loop, `process.exit`, memory) ends it again after each start, until somebody cancels its batch.
   */
  readonly isolate?: (chunk: IsolatedChunk) => Promise<IsolationEnd>;
  /**
   * This engine is there for one {@link IsolatedEngine.runIsolated}. Where a provider takes fewer calls at once
   * than there are runners, its runner is among those that get one: the chunk came to it and can go nowhere else.
   */
  readonly alone?: boolean;
}

/** What an engine does for a host that keeps its runners in processes of their own (E21). */
export interface IsolatedEngine {
  /** Names this engine's runner in the database. */
  readonly runnerId: string;
  /**
   * Gives back, at once, the chunks of a runner whose process is known to be gone. `alone`: it ran one chunk by
   * itself, so that its death counts against that chunk; a death in company counts against nobody for sure.
   */
  recoverRunner(runnerId: string, options?: { alone?: boolean }): Promise<readonly RecoveredChunk[]>;
  /**
   * Takes a chunk over from another runner and works on it, without dispatching anything else.
   * Resolves when it is closed or given back; `taken` is false if it was not there to be taken over.
   */
  runIsolated(chunk: IsolatedChunk): Promise<{ readonly taken: boolean; readonly dueInMs?: number }>;
}
