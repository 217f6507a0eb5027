import type { EngineObserver, WorkLabels } from '../observer.ts';
import type { Flush, RunStore } from '../store.ts';
import type { ChunkTrace } from './chunk-trace.ts';

/** What is told of the statements of one chunk. */
export interface StoreWatch extends WorkLabels {
  readonly observer: EngineObserver;
  /** Undefined if the chunk is not traced. */
  readonly trace: ChunkTrace | undefined;
}

/** A store whose statements are measured and traced. */
export function watchStore(store: RunStore, watch: StoreWatch): RunStore {
  return {
    ...store,
    flush: (flush) => flushed(store, watch, flush),
    async loadJobs(lease) {
      const startedAt = performance.now();
      const payloads = await store.loadJobs(lease);
      const { observer, type, provider } = watch;
      observer.onLoad?.({ type, provider, jobs: lease.size, durationMs: performance.now() - startedAt });
      return payloads;
    },
    async takeTokens(request) {
      const answer = await store.takeTokens(request);
      const calls = request.used === true ? 0 : callsWithout(answer.granted, request.costs);
      const { observer, type, provider } = watch;
      if (calls > 0) observer.onRateWait?.({ type, provider, calls, waitMs: answer.waitMs });
      return answer;
    },
  };
}

async function flushed(store: RunStore, watch: StoreWatch, flush: Flush): Promise<boolean> {
  const { observer, trace, type, provider } = watch;
  const events = flush.events.length;
  const endSpan = trace?.flush(events);
  const startedAt = performance.now();
  let applied = false;
  try {
    applied = await store.flush(flush);
  } finally {
    endSpan?.(applied);
  }
  if (applied) {
    const durationMs = performance.now() - startedAt;
    observer.onFlush?.({ type, provider, events, jobs: flush.tallies, durationMs });
  }
  return applied;
}

/** How many calls did not get their tokens: they are granted in order, a call all of its own or none. */
function callsWithout(granted: number, costs: readonly number[]): number {
  let left = granted;
  let without = 0;
  for (const cost of costs) {
    if (cost > left) without += 1;
    else left -= cost;
  }
  return without;
}
