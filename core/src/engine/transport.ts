/** "This chunk is ready": all that travels. */
export interface ChunkRef {
  readonly chunkId: number;
  readonly type: string;
  readonly connectionId: string;
  /** Whose it is, where the transport tells: a runner counts the chunks of a tenant by it. */
  readonly tenantId?: string;
}

/** Carries references from dispatcher to runners. It may lose or repeat them: Postgres is the truth. */
export interface Transport {
  /** Called by the dispatcher. Resolves when the references are on their way. */
  publish(refs: readonly ChunkRef[]): Promise<void>;
  /** Called once by each runner; `handle` must not throw. Answers a function that ends it. */
  consume(types: readonly string[], handle: (ref: ChunkRef) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** References for the runner in the same process. */
export function createInProcessTransport(): Transport {
  const consumers = new Set<{ types: ReadonlySet<string>; handle: (ref: ChunkRef) => void }>();
  return {
    async publish(refs) {
      for (const ref of refs) {
        for (const consumer of consumers) {
          if (!consumer.types.has(ref.type)) continue;
          consumer.handle(ref);
          break;
        }
      }
    },
    async consume(types, handle) {
      const consumer = { types: new Set(types), handle };
      consumers.add(consumer);
      return async () => {
        consumers.delete(consumer);
      };
    },
    async close() {
      consumers.clear();
    },
  };
}
