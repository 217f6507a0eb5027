import type { IsolatedChunk, IsolationEnd, RetryPolicy, SecretKeys } from '@batchsender/core';
import type { JsonObject } from '@batchsender/core/plugin';
import type { LogLevel } from '../logging.ts';
import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import type { NatsSettings } from '../settings/nats.ts';

/** What a child must know to work. It travels over the pipe alone: no argument or variable shows it to others. */
export interface RunnerOrders {
  readonly databaseUrl: string;
  /** Of the default connections, by `type.provider`. */
  readonly credentials: Readonly<Record<string, JsonObject>>;
  /** Of the stored connections. */
  readonly secretKeys?: SecretKeys;
  readonly logLevel: LogLevel;
  readonly allowNetworks: readonly string[];
  readonly publicUrl?: string;
  readonly retry: RetryPolicy;
  /** The job types that it runs; all that are installed, if left out. */
  readonly types?: readonly string[];
  /** Where NATS is; one process does all, if left out. */
  readonly nats?: NatsSettings;
}

/** What a child answers to its parent. */
export interface ChildCalls {
  /** Loads the plugins; nothing is leased before `work` or `run`. */
  open(orders: RunnerOrders): void;
  /**
   * Makes the engine, of a runner or for one chunk `alone`. Answers the name of its runner: whoever knows it
   * can take its chunks when the child is dead.
   */
  prepare(request: { readonly alone: boolean }): { readonly runnerId: string };
  /** The runner: starts to dispatch and to run. */
  work(request: null): void;
  /** A child for one chunk at a time (E21): takes the chunk over and works on it. */
  run(chunk: IsolatedChunk): { readonly taken: boolean; readonly dueInMs?: number };
  /** The values of its metrics. */
  metrics(request: null): MetricsSnapshot;
  /** Lets the calls in flight end, and ends the process. */
  stop(request: { readonly graceMs: number }): void;
}

/** What a parent answers to its child. */
export interface ParentCalls {
  /** A sign of life, some times a second: the event loop turns. */
  beat(request: { readonly ready: boolean; readonly transportReady: boolean }): void;
  /** Runs a chunk in a child of its own (E21). */
  isolate(chunk: IsolatedChunk): IsolationEnd;
}
