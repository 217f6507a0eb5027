import type { Candidate } from './store.ts';
import type { ChunkRef } from './transport.ts';

/** Whom a dispatcher hints chunks to, and how many they would take now. */
export interface DispatchTarget {
  /** Job types that they run, each with the newest module version. */
  readonly versions: Readonly<Record<string, number>>;
  /** Chunks that they would take at all. */
  readonly limit: number;
  /** Chunks of one connection that they work on at once. */
  readonly perConnection: number;
  /** How many more chunks of the connection they would take; `candidate` is the first of them. */
  room(connectionId: string, candidate: Candidate): number;
  publish(refs: readonly ChunkRef[]): Promise<void>;
}

/** Who may dispatch. */
export interface DispatchGuide {
  /** False if another process dispatches for this one. */
  readonly dispatches: boolean;
  /** Undefined if another process dispatches meanwhile. */
  target(): Promise<DispatchTarget | undefined>;
}
