import { type Tracer, trace } from '@opentelemetry/api';
import type { Session } from '../../plugin/index.ts';
import type { CircuitState, EngineObserver } from '../observer.ts';
import type { BatchPlan } from '../runner/prepare.ts';
import type { ChunkLease, RunStore } from '../store.ts';
import { traceChunk } from './chunk-trace.ts';
import { watchSession } from './watch-session.ts';
import { watchStore } from './watch-store.ts';

/** A chunk's store and session, watched if anybody watches. */
export interface WatchedChunk {
  readonly store: RunStore;
  readonly session: Session;
  /** The chunk was left. */
  end(): void;
}

const NOBODY: EngineObserver = {};
const nothing = (): void => undefined;

/** Tells the host's observer and OpenTelemetry what a runner does. Without either, nothing is wrapped. */
export class Watch {
  readonly #store: RunStore;
  readonly #observer: EngineObserver | undefined;
  readonly #tracer: Tracer = trace.getTracer('@batchsender/core');

  constructor(store: RunStore, observer: EngineObserver | undefined) {
    this.#store = store;
    this.#observer = observer;
  }

  chunk(lease: ChunkLease, plan: BatchPlan, session: Session): WatchedChunk {
    const store = this.#store;
    const chunkTrace = traceChunk(this.#tracer, lease, plan);
    if (this.#observer === undefined && chunkTrace === undefined) return { store, session, end: nothing };
    const observer = this.#observer ?? NOBODY;
    const { type, provider } = plan.batch;
    const { onCall } = observer;
    const isCallWatched = onCall !== undefined || chunkTrace !== undefined;
    return {
      store: watchStore(store, { type, provider, observer, trace: chunkTrace }),
      session: isCallWatched ? watchSession(session, { type, provider, onCall, trace: chunkTrace }) : session,
      end: chunkTrace?.end ?? nothing,
    };
  }

  async lease(chunkId: number, runnerId: string): Promise<ChunkLease | undefined> {
    const onLease = this.#observer?.onLease;
    if (onLease === undefined) return this.#store.lease(chunkId, runnerId);
    const startedAt = performance.now();
    const lease = await this.#store.lease(chunkId, runnerId);
    onLease({ taken: lease !== undefined, durationMs: performance.now() - startedAt });
    return lease;
  }

  circuit({ batch: { type, provider } }: BatchPlan, state: CircuitState): void {
    this.#observer?.onCircuit?.({ type, provider, state });
  }
}
