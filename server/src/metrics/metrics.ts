import type { Engine, EngineObserver } from '@batchsender/core';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { nowMetrics } from './now-metrics.ts';
import { exposition, type MetricSnapshot, type MetricsSnapshot } from './snapshot.ts';
import { type KnownType, workMetrics } from './work-metrics.ts';

/** Which process of a server it is: the label of what is measured of the process itself. */
export type ProcessName = 'server' | 'runner';

/** The metrics of one process. */
export interface Metrics {
  /** For `createEngine`. */
  readonly observer: EngineObserver;
  /** Watches what the engine does now; with `backlog`, one process a server, also what waits in the database. */
  watch(
    engine: Pick<Engine, 'registry' | 'activity' | 'backlog'>,
    options: { readonly backlog: boolean },
  ): void;
  /** The values of this process, as JSON for another one. */
  snapshot(): Promise<MetricsSnapshot>;
}

/** Where `/metrics` gets its text. */
export interface MetricsSource {
  /** In the text format of Prometheus. */
  text(): Promise<string>;
}

/** A scrape waits so long for the database. */
const DATABASE_MS = 3_000;

/** Makes the metrics of this process. The engine is made with their observer, then they watch it. */
export function createMetrics(name: ProcessName): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, labels: { process: name } });
  const work = workMetrics(registry);
  const now = nowMetrics(registry);
  let collect = async (): Promise<void> => undefined;
  return {
    observer: work.observer,
    watch(engine, { backlog }) {
      const types = engine.registry
        .list()
        .map(({ module }): KnownType => ({ type: module.type, providers: Object.keys(module.providers) }));
      work.expect(types);
      collect = async () => {
        now.setActivity(engine.activity());
        if (backlog) now.setBacklog(await inTime(engine.backlog()), types);
      };
    },
    async snapshot() {
      await collect();
      const own = (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
      return [...own.map(known), ...work.snapshot()].filter(({ values }) => values.length > 0).map(byWorst);
    },
  };
}

/** The text of one process alone, or with those that `others` answers. */
export function metricsSource(
  metrics: Pick<Metrics, 'snapshot'>,
  others: () => Promise<readonly MetricsSnapshot[]> = async () => [],
): MetricsSource {
  return { text: async () => exposition([await metrics.snapshot(), ...(await others())]) };
}

/** Without what is not a number, such as the event loop's lag right after a scrape: JSON has no word for it. */
function known(metric: MetricSnapshot): MetricSnapshot {
  return { ...metric, values: metric.values.filter(({ value }) => Number.isFinite(value)) };
}

/** Of several processes with the same label the worst one is shown, where prom-client takes the mean or none. */
function byWorst(metric: MetricSnapshot): MetricSnapshot {
  return ['omit', 'average'].includes(metric.aggregator) ? { ...metric, aggregator: 'max' } : metric;
}

async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), DATABASE_MS);
  });
  try {
    return await Promise.race([answer.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
