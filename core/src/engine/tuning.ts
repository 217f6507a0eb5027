/** Times and sizes of the engine, with their defaults. */
export interface Tuning {
  /**
   * Jobs in a chunk: 500, rounded down to a multiple of the provider's batch size; up to four times as many for
   * providers that take many jobs a call, and twice as many in large batches.
   */
  readonly chunkSize: number;
  /** Chunks that a runner works on at once: 32. */
  readonly chunkSlots: number;
  /** Chunks of one connection that a runner works on at once: 8. */
  readonly chunkSlotsPerConnection: number;
  /** A runner whose heartbeat is older loses its chunks: 15,000. */
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** Results wait at most this long for company in a flush: 20. */
  readonly flushMs: number;
  /** Results that start a flush at once: 500. */
  readonly flushSize: number;
  /** A chunk is given back at a call boundary after: 5,000. */
  readonly sliceMs: number;
  /** A chunk that cannot start a call within this time is given back: 1,000. */
  readonly startWithinMs: number;
  /** The dispatcher looks for due chunks at least this often: 1,000. */
  readonly pollMs: number;
  /** A hint that was not taken is sent again after: 10,000. */
  readonly rehintMs: number;
  /** The reconciler's interval: 30,000. */
  readonly reconcileMs: number;
  /** An upload without a sign of life is swept after: 60,000. */
  readonly uploadTtlMs: number;
  /** What `backlog` answers is kept for: 5,000. */
  readonly backlogMs: number;
  /** An endpoint that failed for so long is disabled: 432,000,000 (five days). */
  readonly endpointDisableMs: number;
  /** A disabled endpoint gets one call in: 3,600,000 (an hour). */
  readonly endpointProbeMs: number;
  /** What goes wrong on purpose, in tests only; see docs/guarantees.md. Default: nothing, and at no cost. */
  readonly failpoints?: string;
}

export const DEFAULT_TUNING: Tuning = {
  chunkSize: 500,
  chunkSlots: 32,
  chunkSlotsPerConnection: 8,
  leaseMs: 15_000,
  heartbeatMs: 1_000,
  flushMs: 20,
  flushSize: 500,
  sliceMs: 5_000,
  startWithinMs: 1_000,
  pollMs: 1_000,
  rehintMs: 10_000,
  reconcileMs: 30_000,
  uploadTtlMs: 60_000,
  backlogMs: 5_000,
  endpointDisableMs: 432_000_000,
  endpointProbeMs: 3_600_000,
};
