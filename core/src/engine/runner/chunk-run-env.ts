import type { JobResult, Session } from '../../plugin/index.ts';
import type { FullRetryPolicy } from '../decisions/backoff.ts';
import type { RunStore } from '../store.ts';
import type { Tuning } from '../tuning.ts';
import type { ConnectionGate } from './gate.ts';
import type { BatchPlan } from './prepare.ts';

/** Why a chunk starts no more calls. */
export type StopReason = 'slice' | 'waiting' | 'steered' | 'shutdown' | 'stale' | 'blocked' | 'lost';

export interface ChunkRunEnv {
  readonly store: RunStore;
  readonly tuning: Tuning;
  readonly plan: BatchPlan;
  readonly policy: FullRetryPolicy;
  readonly gate: ConnectionGate;
  readonly session: Session;
  readonly random: () => number;
  /** The monotonic clock, in milliseconds. */
  now(): number;
  /** E8: the last confirmed heartbeat is young enough to start calls. */
  leaseFresh(now: number): boolean;
  persist<T>(work: () => Promise<T>): Promise<T | undefined>;
  /** A mistake of the plugin: reported with its name. */
  violation(message: string): void;
  /** The provider threw; after ten times the same the connection is blocked (E18). */
  threw(error: unknown): void;
  blocked(result: Extract<JobResult, { status: 'blocked' }>): void;
  throttled(forMs: number): void;
}
