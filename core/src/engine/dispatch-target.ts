import type { Room } from './decisions/choose.ts';
import type { ChunkRef } from './transport.ts';

/** Whom a dispatcher hints chunks to, and how many they would take now. */
export interface DispatchTarget extends Room {
  /** Job types that they run, each with the newest module version. */
  readonly versions: Readonly<Record<string, number>>;
  /** Chunks that they would take at all. */
  readonly limit: number;
  /** Chunks of one connection that they work on at once. */
  readonly perConnection: number;
  publish(refs: readonly ChunkRef[]): Promise<void>;
}

/** Who may dispatch. */
export interface DispatchGuide {
  /** False if another process dispatches for this one. */
  readonly dispatches: boolean;
  /** Undefined if another process dispatches meanwhile. */
  target(): Promise<DispatchTarget | undefined>;
}
