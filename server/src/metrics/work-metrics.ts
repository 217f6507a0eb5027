import type { EngineObserver } from '@batchsender/core';
import { Counter, type Registry } from 'prom-client';
import type { MetricsSnapshot } from './snapshot.ts';
import { Timings } from './timings.ts';

const STATEMENT_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];
const CALL_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const FLUSH_JOBS = [1, 5, 20, 50, 100, 200, 500, 1_000, 2_000];

const OUTCOMES = ['succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed'] as const;
const CIRCUITS = ['open', 'half-open', 'closed'] as const;

/** A type that is installed, and the names of its providers. */
export interface KnownType {
  readonly type: string;
  readonly providers: readonly string[];
}

/** What the engine tells, counted. */
export interface WorkMetrics {
  readonly observer: EngineObserver;
  /** Shows zeros for what did not happen yet, so that the first time is seen as an increase. */
  expect(types: readonly KnownType[]): void;
  snapshot(): MetricsSnapshot;
}

/** The metrics of what happens, by the engine's observer. */
export function workMetrics(registry: Registry): WorkMetrics {
  const counters = makeCounters(registry);
  const timings = makeTimings();
  const observer = { ...observeWork(counters, timings), ...observeKeeping(counters) };
  return {
    observer,
    expect: (types) => showZeros(counters, types),
    snapshot: () => Object.values(timings).map((timing) => timing.snapshot()),
  };
}

type Counters = ReturnType<typeof makeCounters>;

function makeCounters(registry: Registry) {
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter({ name: `batchsender_${name}`, help, labelNames, registers: [registry] });
  const provider = ['type', 'provider'] as const;
  return {
    jobs: counter('jobs_total', 'Jobs that closed an attempt, by what became of it', ['type', 'outcome']),
    waits: counter('rate_limit_waits_total', "Calls that waited for a provider's rate limit", provider),
    waited: counter('rate_limit_wait_seconds_total', 'Time that these waits were told to last', provider),
    circuits: counter('breaker_changes_total', 'Circuits that changed to a state', [...provider, 'state']),
    repairs: counter('repairs_total', 'Places that the reconciler had to repair', []),
    recovered: counter('recovered_chunks_total', 'Chunks taken back from runners that are gone', []),
  };
}

function makeTimings() {
  const call = ['type', 'provider', 'operation', 'status'];
  return {
    calls: new Timings('batchsender_call_seconds', 'Duration of calls of providers', call, CALL_SECONDS),
    flushes: new Timings('batchsender_flush_seconds', 'Duration of flushes', ['type'], STATEMENT_SECONDS),
    flushJobs: new Timings('batchsender_flush_jobs', 'Jobs that closed in a flush', ['type'], FLUSH_JOBS),
    leases: new Timings('batchsender_lease_seconds', 'Duration of leases', ['taken'], STATEMENT_SECONDS),
    loads: new Timings(
      'batchsender_load_seconds',
      "Duration of loading a chunk's jobs",
      ['type'],
      STATEMENT_SECONDS,
    ),
  };
}

function observeWork(counters: Counters, timings: ReturnType<typeof makeTimings>): EngineObserver {
  return {
    onFlush({ type, jobs, durationMs }) {
      let closed = 0;
      for (const outcome of OUTCOMES) {
        const count = jobs[outcome];
        if (count > 0) counters.jobs.inc({ type, outcome }, count);
        closed += count;
      }
      timings.flushJobs.observe(closed, type);
      timings.flushes.observe(durationMs / 1_000, type);
    },
    onCall({ type, provider, operation, status, durationMs }) {
      timings.calls.observe(durationMs / 1_000, type, provider, operation, status);
    },
    onLease({ taken, durationMs }) {
      timings.leases.observe(durationMs / 1_000, String(taken));
    },
    onLoad({ type, durationMs }) {
      timings.loads.observe(durationMs / 1_000, type);
    },
    onRateWait({ type, provider, calls, waitMs }) {
      counters.waits.inc({ type, provider }, calls);
      counters.waited.inc({ type, provider }, (calls * waitMs) / 1_000);
    },
  };
}

function observeKeeping(counters: Counters): EngineObserver {
  return {
    onCircuit: ({ type, provider, state }) => counters.circuits.inc({ type, provider, state }),
    onSweep({ type, cancelled, unknown }) {
      counters.jobs.inc({ type, outcome: 'cancelled' }, cancelled);
      counters.jobs.inc({ type, outcome: 'unknown' }, unknown);
    },
    onRepairs: (count) => counters.repairs.inc(count),
    onRecovered: (chunks) => counters.recovered.inc(chunks),
  };
}

function showZeros(counters: Counters, types: readonly KnownType[]): void {
  for (const { type, providers } of types) {
    for (const outcome of OUTCOMES) counters.jobs.inc({ type, outcome }, 0);
    for (const provider of providers) {
      counters.waits.inc({ type, provider }, 0);
      counters.waited.inc({ type, provider }, 0);
      for (const state of CIRCUITS) counters.circuits.inc({ type, provider, state }, 0);
    }
  }
}
