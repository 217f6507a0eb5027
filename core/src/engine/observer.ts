import type { CallStatus } from './watch/call-status.ts';

export type { CallStatus } from './watch/call-status.ts';

/** What the work belongs to. Both names come from the installed plugins: few, whatever is sent. */
export interface WorkLabels {
  readonly type: string;
  readonly provider: string;
}

/** A flush that is in the log. */
export interface FlushObservation extends WorkLabels {
  /** Events that it wrote. */
  readonly events: number;
  /** How many jobs closed an attempt, and how. A repeated flush is told of once. */
  readonly jobs: {
    readonly succeeded: number;
    readonly failed: number;
    readonly unknown: number;
    readonly cancelled: number;
    /** Tried again, an attempt spent. */
    readonly retried: number;
    /** Tried again, nothing spent: throttled, circuit open, connection blocked. */
    readonly postponed: number;
  };
  /** Of the statement that was answered, with its wait for a database connection. */
  readonly durationMs: number;
}

/** A call of a provider that ended. */
export interface CallObservation extends WorkLabels {
  /** `resolve`: the provider was asked what became of earlier calls. */
  readonly operation: 'call' | 'resolve';
  /** Jobs in the call. */
  readonly jobs: number;
  readonly status: CallStatus;
  readonly durationMs: number;
}

/** Jobs that a sweep settled without a runner, since their batch was cancelled. */
export interface SweepObservation {
  readonly type: string;
  readonly cancelled: number;
  /** Their call was undecided. */
  readonly unknown: number;
}

/** State of the circuit of one endpoint. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/**
 * Is told what the engine does, as it does it: for metrics. All functions are optional; without an
 * observer nothing is measured. They are called in the middle of the work, so they must be quick.
 * What one throws is logged once and otherwise ignored.
 *
 * No label names a tenant, a batch, a job or an endpoint, so the number of series that can be made
 * of them depends on the installed plugins alone.
 */
export interface EngineObserver {
  onFlush?(flush: FlushObservation): void;
  onCall?(call: CallObservation): void;
  /** A runner asked for a chunk; `taken` is false if another one had it already. */
  onLease?(lease: { readonly taken: boolean; readonly durationMs: number }): void;
  /** The jobs of a leased chunk were loaded. */
  onLoad?(load: WorkLabels & { readonly jobs: number; readonly durationMs: number }): void;
  /** The provider's rate limit made so many calls wait. */
  onRateWait?(wait: WorkLabels & { readonly calls: number; readonly waitMs: number }): void;
  /** The circuit of some endpoint changed (E19). */
  onCircuit?(change: WorkLabels & { readonly state: CircuitState }): void;
  onSweep?(sweep: SweepObservation): void;
  /** The reconciler found the log and the counters apart, in so many places. Should never be called. */
  onRepairs?(count: number): void;
  /** So many chunks were taken back from runners that are gone. */
  onRecovered?(chunks: number): void;
}

/** What one provider does in this process now, over all of its connections. */
export interface ProviderActivity extends WorkLabels {
  /** Calls in flight, those included whose outcome is not in the log yet. */
  readonly callsInFlight: number;
  /** Calls that this process may have in flight. */
  readonly callSlots: number;
  /** Endpoints whose circuit is open. */
  readonly circuitsOpen: number;
  /** Endpoints whose circuit lets one call try. */
  readonly circuitsHalfOpen: number;
}

/** What this process does at this moment, from its memory. */
export interface Activity {
  /** Chunks that the runner holds, or is about to. */
  readonly chunksHeld: number;
  /** Since the last confirmed heartbeat was sent; null if the runner was not started. */
  readonly heartbeatAgeMs: number | null;
  readonly providers: readonly ProviderActivity[];
}

/** What waits of one type. */
export interface TypeBacklog {
  readonly type: string;
  /** Open chunks of running batches that no runner holds, those included that are due later. */
  readonly readyChunks: number;
  readonly leasedChunks: number;
  /** Since the oldest chunk is due that no runner holds; 0 if none is due. */
  readonly oldestDueMs: number;
  /** Jobs whose outcome is `unknown` and was not resolved; those of a chunk count when it closes. */
  readonly unknownJobs: number;
}

/** What waits, of all tenants, from the database. */
export interface Backlog {
  /** Only types that have something to tell. */
  readonly types: readonly TypeBacklog[];
  readonly blockedConnections: readonly (WorkLabels & { readonly connections: number })[];
  /** Runners with a fresh heartbeat, in all processes. */
  readonly runners: number;
}
