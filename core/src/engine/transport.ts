/** "This chunk is ready": all that travels between processes. No payload, no secret. */
export interface ChunkRef {
  readonly chunkId: number;
  /** Job type of the chunk's batch. */
  readonly type: string;
  /** Version of the module that the batch was made for: a runner needs this one or a newer one. */
  readonly moduleVersion: number;
  readonly connectionId: string;
  /** Whose it is, where the transport tells: a runner counts the chunks of a tenant by it. */
  readonly tenantId?: string;
}

/** A runner, as its transport sees it. */
export interface TransportConsumer {
  /** The job types that it runs, each with the newest module version that it can run. */
  readonly versions: Readonly<Record<string, number>>;
  /** How many references it would take now. A transport asks before it fetches, so that none is fetched in vain. */
  room(): number;
  /** Takes a reference, or answers false to leave it for others. Does not throw. */
  take(ref: ChunkRef): boolean;
}

/** A runner's side of the transport, from {@link Transport.consume} to `end`. */
export interface Consumption {
  /** There may be more room than a moment ago. */
  roomy(): void;
  /** Ends it: nothing is taken afterwards. */
  end(): Promise<void>;
}

/** What a transport between processes can do beyond carrying references. */
export interface SharedTransport {
  /** False while it carries nothing: it is not connected yet, or was cut off. */
  ready(): boolean;
  /** Tells the dispatchers of all processes, this one too, to look for due chunks in so many milliseconds. May be lost. */
  signal(inMs: number): void;
  /** Calls back at each signal. Called once, before the first `signal`. */
  onSignal(handle: (inMs: number) => void): void;
}

/**
 * Carries references from the dispatcher to the runners. It may lose, repeat and reorder them:
 * Postgres is the truth, a chunk is leased there before it is worked on, and what was not leased
 * in 10 seconds is published again. A reference that is published again must be carried again.
 *
 * The engine that a transport is given to closes it when it stops. `transportConformance` of
 * `@batchsender/core/testing` checks an implementation.
 */
export interface Transport {
  /**
   * Called by the dispatcher. Resolves when the references are on their way, each to one consumer
   * that runs its type in a version that is new enough; one that nobody takes now may wait or go
   * away. Rejects if they cannot be sent; then some may have been sent all the same.
   */
  publish(refs: readonly ChunkRef[]): Promise<void>;
  /** Called once by the runner of a process. Does not wait for a connection. */
  consume(consumer: TransportConsumer): Promise<Consumption>;
  /**
   * Set if references reach the runners of other processes: then one process dispatches for all
   * (rule E15). While it is not ready for 3 seconds, each process dispatches for itself. Default:
   * undefined, every process dispatches for itself.
   */
  readonly shared?: SharedTransport;
  /** Ends it for good. Safe to call twice. */
  close(): Promise<void>;
}

/** References for the runner in the same process. */
export function createInProcessTransport(): Transport {
  const consumers = new Set<TransportConsumer>();
  return {
    async publish(refs) {
      for (const ref of refs) {
        for (const consumer of consumers) {
          if (runs(consumer, ref) && consumer.take(ref)) break;
        }
      }
    },
    async consume(consumer) {
      consumers.add(consumer);
      return {
        roomy: () => undefined,
        end: async () => {
          consumers.delete(consumer);
        },
      };
    },
    async close() {
      consumers.clear();
    },
  };
}

const runs = ({ versions }: TransportConsumer, { type, moduleVersion }: ChunkRef): boolean =>
  (versions[type] ?? Number.NEGATIVE_INFINITY) >= moduleVersion;

/** True for a transport between processes. */
export const isShared = (
  transport: Transport,
): transport is Transport & { readonly shared: SharedTransport } => transport.shared !== undefined;
