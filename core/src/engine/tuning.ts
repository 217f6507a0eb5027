import type { Tuning } from './api.ts';

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
};
