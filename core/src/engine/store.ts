import type { JobPayload } from '../plugin/index.ts';
import type { BatchState, IdempotencyStore, Settings } from './api.ts';
import type { AuditStore } from './audit.ts';
import type { ConnectionStore } from './connections/store.ts';
import type { DispatchStore } from './dispatch-store.ts';
import type { IntakeStore, ReadStore, SteerStore } from './host-store.ts';
import type { RecoveredChunk } from './isolation.ts';
import type { EngineObserver } from './observer.ts';
import type { ReceiptStore } from './receipt-store.ts';
import type { SuppressionLookup, SuppressionStore } from './suppression-store.ts';

export type * from './dispatch-store.ts';

/** Counts of events that a chunk has closed its attempt with. */
export interface Tallies {
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly retried: number;
  readonly postponed: number;
}

/** Which jobs of its batch a chunk holds: a range without gaps, or a list. */
export type ChunkJobs =
  | { readonly first: number; readonly end: number; readonly seqs?: never }
  | { readonly seqs: readonly number[]; readonly first?: never; readonly end?: never };

/** A chunk under a lease. */
export interface ChunkLease {
  readonly chunkId: number;
  readonly batchId: string;
  readonly epoch: number;
  readonly flushNo: number;
  readonly attempt: number;
  /** Attempts of the retry budget that its jobs have spent. */
  readonly spent: number;
  readonly deaths: number;
  /** An earlier lease was lost: calls of this attempt may have been made without a trace. */
  readonly interrupted: boolean;
  /** Calls of an earlier attempt may have reached the provider. */
  readonly uncertain: boolean;
  readonly jobs: ChunkJobs;
  readonly size: number;
  readonly tallies: Tallies;
  /** Since its jobs were due for the first time. */
  readonly ageMs: number;
  /** Since its jobs were leased for the first time. */
  readonly firstLeaseAgeMs: number;
}

/** The engine's own event kinds. */
export type EventKind =
  | 'attempted'
  | 'succeeded'
  | 'failed'
  | 'unknown'
  | 'cancelled'
  | 'retried'
  | 'postponed'
  | 'released'
  | 'reopened'
  | 'resolved'
  | 'late';

/** An event to be written; `data` is JSON text, or null. */
export interface NewEvent {
  readonly seq: number;
  readonly kind: EventKind;
  readonly data: string | null;
}

/** A chunk to be made when another one closes. */
export interface NewChunk {
  readonly seqs: readonly number[];
  readonly dueInMs: number;
  readonly attempt: number;
  readonly spent: number;
  readonly uncertain: boolean;
  /** The chunk goes on with the attempt of its parent: events of this attempt may exist. */
  readonly split: boolean;
}

/** How a flush leaves its chunk. */
export type ChunkEnd =
  | { readonly kind: 'keep' }
  | { readonly kind: 'giveBack'; readonly dueInMs: number }
  | { readonly kind: 'close'; readonly chunks: readonly NewChunk[] };

export interface Flush {
  readonly lease: ChunkLease;
  readonly flushNo: number;
  readonly events: readonly NewEvent[];
  /** What is added to the chunk's tallies. */
  readonly tallies: Tallies;
  readonly end: ChunkEnd;
}

/** The last event of a job in the chunk's attempt, with the number of its fences. */
export interface AttemptEvent {
  readonly seq: number;
  readonly kind: EventKind;
  readonly data: Record<string, unknown> | null;
  readonly ageMs: number;
  readonly fences: number;
  /** A success that was reported late, under a lost lease. */
  readonly late: Record<string, unknown> | null;
}

/** What a runner needs to know of a batch, the same for all of its chunks. */
export interface RunnableBatch {
  readonly batchId: string;
  readonly tenantId: string;
  readonly type: string;
  readonly provider: string;
  readonly connectionId: string;
  readonly moduleVersion: number;
  readonly defaults: Record<string, unknown> | null;
  /** W3C's `traceparent` of its submitter, if that was traced. */
  readonly traceParent: string | null;
  readonly retry: { maxAttempts?: number; baseMs?: number; capMs?: number; maxAgeMs?: number };
}

/** The payloads of a chunk's jobs by their position. */
export interface ChunkPayloads {
  /** Parsed anew each time. */
  get(seq: number): JobPayload | undefined;
}

/** What the runner reads and writes. Every method is one statement. */
export interface RunStore {
  /** Undefined if the chunk is not there to be leased. */
  lease(chunkId: number, runnerId: string): Promise<ChunkLease | undefined>;
  /** Takes a leased chunk over from another runner, under the next epoch (E21). Undefined if it was not there. */
  takeOver(
    chunkId: number,
    from: { readonly runnerId: string; readonly epoch: number },
    runnerId: string,
  ): Promise<ChunkLease | undefined>;
  runnableBatch(batchId: string): Promise<RunnableBatch>;
  loadJobs(lease: ChunkLease): Promise<ChunkPayloads>;
  /**
   * Begins to load all `size` jobs of a batch, for the chunk that holds them all, while that is being leased:
   * a job's payload never changes.
   */
  loadEarly(batchId: string, size: number): void;
  /** The last event of each job that has one in the chunk's attempt. */
  loadAttempt(lease: ChunkLease): Promise<AttemptEvent[]>;
  /** Writes events under the lease without touching the chunk. False if the lease is lost. */
  fence(lease: ChunkLease, events: readonly NewEvent[]): Promise<boolean>;
  /** False if the lease is lost; true also if the same flush was applied before. */
  flush(flush: Flush): Promise<boolean>;
  /** Records results that came after their lease was lost (E12). */
  recordLate(lease: ChunkLease, events: readonly LateEvent[]): Promise<void>;
  /** Nothing happens if the connection has other credentials by now than those of `version`. */
  block(
    connectionId: string,
    reason: { code: string; message: string | null },
    version: number,
  ): Promise<void>;
  throttle(connectionId: string, forMs: number): Promise<void>;
  /**
   * An endpoint fails. Answers for how long, in milliseconds; what was not confirmed for `staleMs`
   * begins anew.
   */
  endpointFails(connectionId: string, endpoint: string, staleMs: number): Promise<number>;
  endpointWorks(connectionId: string, endpoint: string): Promise<void>;
  takeTokens(request: TokenRequest): Promise<{ granted: number; waitMs: number }>;
  readonly suppressed: SuppressionLookup;
}

export interface LateEvent {
  readonly seq: number;
  readonly data: string;
  /** The late result was a success: it settles an `unknown` of the same attempt. */
  readonly success: boolean;
}

export interface TokenRequest {
  readonly key: string;
  /** Tokens that each call needs, in the order in which they are granted: a call gets all of its own or none. */
  readonly costs: readonly number[];
  readonly max: number;
  readonly windowMs: number;
  /** They were used already, whatever the limit says: counted, so that the next windows know. */
  readonly used?: boolean;
}

/** What a heartbeat brings back. */
export interface HeartbeatAnswer {
  /** Chunks that the database holds in this runner's name. */
  readonly chunks: readonly { chunkId: number; epoch: number; batchState: BatchState }[];
  /** Position of this runner among the live ones, and their number. */
  readonly position: number;
  readonly runners: number;
  /** Runners that a newcomer waits for; 0 for one that has joined. */
  readonly silent: number;
  /** When the database looked, by its clock. */
  readonly at: string;
  readonly blocked: readonly string[];
  /** Versions of the credentials of the connections that were asked for. */
  readonly connections: Readonly<Record<string, number>>;
}

/** Which other runners are there, and do not know of this one yet. */
export interface JoiningQuestion {
  /** They have given no sign of life since then, an earlier answer's `at`; undefined counts all that are there. */
  readonly since: string | undefined;
  /** Whoever gave its last sign of life longer ago than this has died, or starts no calls. */
  readonly withinMs: number;
}

export interface RunnerStore {
  heartbeat(
    runnerId: string,
    versions: Record<string, number>,
    leaseMs: number,
    connectionIds: readonly string[],
    joining?: JoiningQuestion,
  ): Promise<HeartbeatAnswer>;
  /** Asks the other runners for a sign of life now, so that they learn of this one. */
  announce(runnerId: string): Promise<void>;
  /** Gives back a chunk that this runner does not work on; `interrupted` if calls may have been made under the lease. */
  giveBack(runnerId: string, chunkId: number, epoch: number, interrupted: boolean): Promise<void>;
  forget(runnerId: string): Promise<void>;
}

export interface MaintenanceStore {
  /** Takes or keeps a named leadership for `ttlMs`. */
  lead(name: string, holder: string, ttlMs: number): Promise<boolean>;
  recoverChunks(leaseMs: number): Promise<number>;
  /** Takes everything from a runner that is known to be dead; `alone`: its death counts against its chunk (E21). */
  recoverRunner(runnerId: string, alone: boolean): Promise<readonly RecoveredChunk[]>;
  sweepUploads(ttlMs: number): Promise<number>;
  /** Drops keys of batches that take no more jobs, some at a time; answers how many. */
  dropKeys(): Promise<number>;
  /**
   * E12: settles what ended as `unknown` after a receipt had proven it sent; looks at some receipts behind
   * `after`, and answers where to go on, null at the end.
   */
  settleEarly(after: string | null): Promise<string | null>;
  /** Forgets receipts that are older than 90 days, some at a time; answers how many. */
  dropReceiptKeys(): Promise<number>;
  /** Works on one piece of a cancellation or a retry; false if none is left. `onSweep` hears what was cancelled. */
  sweepStep(batchId?: string, onSweep?: EngineObserver['onSweep']): Promise<boolean>;
  /** Proves E2 for batches that changed since the last time, and repairs. Answers the number of repairs. */
  reconcile(limit: number): Promise<number>;
  /** Makes the partitions of the coming months, drops stale idempotency keys, runners and rate rows. */
  tidy(): Promise<void>;
}

/** The whole store, as the engine is given it. */
export interface Store {
  readonly run: RunStore;
  readonly runner: RunnerStore;
  readonly dispatch: DispatchStore;
  readonly intake: IntakeStore;
  readonly steer: SteerStore;
  readonly read: ReadStore;
  readonly maintenance: MaintenanceStore;
  readonly connections: ConnectionStore;
  readonly receipts: ReceiptStore;
  readonly suppressions: SuppressionStore;
  readonly audit: AuditStore;
  readonly idempotency: IdempotencyStore;
  readonly settings: Settings;
  migrate(): Promise<void>;
  /** Begins to open the connections that a runner works with. */
  openConnections(): void;
  /** Throws if the database does not answer. */
  ping(): Promise<void>;
  /** Tells the dispatchers of all processes that something became due. */
  wake(): Promise<void>;
  close(): Promise<void>;
}
