/** A due chunk that could be hinted. */
export interface Candidate {
  readonly chunkId: number;
  readonly batchId: string;
  readonly tenantId: string;
  readonly connectionId: string;
  readonly type: string;
  readonly moduleVersion: number;
  readonly priority: number;
}

/** What all live runners together can run, and what they have to do. */
export interface Fleet {
  /** Job types and module versions of each live runner. */
  readonly runners: readonly Readonly<Record<string, number>>[];
  /** Leased chunks by their connection and tenant. */
  readonly leased: readonly (readonly [connectionId: string, tenantId: string, count: number])[];
  /** Of the chunks that were asked for: those whose hint was not taken yet. */
  readonly waiting: readonly number[];
}

/** What the processes on one database tell each other. It may get lost: what it says is in the database. */
export type Notice =
  /** Something became due. */
  | { readonly kind: 'due' }
  /** A runner joined, and waits until the others know of it. */
  | { readonly kind: 'joined' }
  /** This chunk became due, and nobody holds it; in which version of the batch's module. */
  | {
      readonly kind: 'chunk';
      readonly chunkId: number;
      readonly batchId: string;
      readonly type: string;
      readonly connectionId: string;
      readonly tenantId: string;
      readonly moduleVersion: number;
      /** Jobs of its batch, which are all its own. Undefined if an older release announced it. */
      readonly size: number | undefined;
    }
  /** A batch was paused or cancelled. */
  | { readonly kind: 'steered'; readonly batchId: string }
  | { readonly kind: 'unblocked'; readonly connectionId: string }
  /** A connection has new credentials. */
  | { readonly kind: 'changed'; readonly connectionId: string; readonly version: number };

export interface DispatchStore {
  /** Due chunks, at most `perBatch` a batch, of at most 500 batches behind `cursor`. */
  candidates(query: {
    readonly versions: Record<string, number>;
    readonly perBatch: number;
    readonly rehintMs: number;
    readonly cursor: string | null;
  }): Promise<{ readonly candidates: readonly Candidate[]; readonly cursor: string | null }>;
  /** Marks chunks as hinted; answers those that nobody else marked meanwhile. */
  markDispatched(chunkIds: readonly number[], rehintMs: number): Promise<readonly number[]>;
  /** Takes the mark back from chunks whose hint could not be sent, so that they are hinted again at once. */
  unmark(chunkIds: readonly number[]): Promise<void>;
  fleet(query: {
    readonly leaseMs: number;
    readonly rehintMs: number;
    /** Chunks that were hinted. */
    readonly hinted: readonly number[];
  }): Promise<Fleet>;
  /** Takes or keeps the leadership over all dispatchers for `ttlMs`. */
  lead(holder: string, ttlMs: number): Promise<boolean>;
  /** Gives the leadership up, if `holder` has it. */
  resign(holder: string): Promise<void>;
  /** Scheduled batches whose time has come begin to run. Answers the time to the next one. */
  startScheduled(): Promise<number | undefined>;
  /** Calls back with what this and other processes announce. Answers a function that ends it. */
  listen(onNotice: (notice: Notice) => void): Promise<() => Promise<void>>;
}
