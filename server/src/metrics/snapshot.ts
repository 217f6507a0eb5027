import { AggregatorRegistry, type PrometheusContentType } from 'prom-client';

/** The values of one metric, as plain JSON. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** How values of the same labels become one when the snapshots of several processes are merged. */
  readonly aggregator: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** Of a histogram's parts. */
    readonly metricName?: string;
  }[];
}

/** All metrics of a process, to be sent to another one as JSON. */
export type MetricsSnapshot = readonly MetricSnapshot[];

/** The media type of {@link exposition}. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What the values of processes that are gone still count for. */
const LASTING = new Set(['counter', 'histogram', 'summary']);

/** Puts the metrics of several processes together, in the text format of Prometheus. */
export function exposition(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate<PrometheusContentType>([...snapshots]).metrics();
}

/** Makes one snapshot of several, for a process that passes them on. */
export async function merge(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const merged = AggregatorRegistry.aggregate<PrometheusContentType>([...snapshots]);
  return (await merged.getMetricsAsJSON()) as unknown as MetricsSnapshot;
}

/**
 * What stays of a process that ended: its counts, without its gauges. Keep it, merged with that of
 * those before, and pass it to {@link exposition}: a counter that fell would look like a restart, and
 * the rest of it would be counted again.
 */
export function retired(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(({ type }) => LASTING.has(type));
}
