import type { MetricSnapshot } from './snapshot.ts';

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** How many values fell into each bucket; the last one has no bound. */
  readonly buckets: Float64Array;
  sum: number;
  count: number;
}

/**
 * A histogram that costs some dozens of nanoseconds a value. prom-client's costs several times as
 * much, since it hashes the labels each time, and this is called for every call of a provider.
 */
export class Timings {
  readonly #name: string;
  readonly #help: string;
  readonly #labelNames: readonly string[];
  readonly #bounds: readonly number[];
  /** By the values of the labels, one level a label. */
  readonly #root: Map<string, unknown> = new Map();
  readonly #series: Series[] = [];

  constructor(name: string, help: string, labelNames: readonly string[], bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#labelNames = labelNames;
    this.#bounds = bounds;
  }

  /** The labels in the order of their names. */
  observe(value: number, ...labels: readonly string[]): void {
    const series = this.#find(labels);
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket += 1;
    series.buckets[bucket] = (series.buckets[bucket] as number) + 1;
    series.sum += value;
    series.count += 1;
  }

  /** As prom-client tells of a histogram. */
  snapshot(): MetricSnapshot {
    return {
      name: this.#name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: this.#series.flatMap((series) => this.#values(series)),
    };
  }

  #values({ labels, buckets, sum, count }: Series): MetricSnapshot['values'] {
    let below = 0;
    const values = [...this.#bounds, '+Inf'].map((le, index) => {
      below += buckets[index] as number;
      return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: below };
    });
    return [
      ...values,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: count },
    ];
  }

  #find(labels: readonly string[]): Series {
    let level = this.#root;
    for (let i = 0; i < labels.length - 1; i++) {
      let next = level.get(labels[i] as string) as Map<string, unknown> | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(labels[i] as string, next);
      }
      level = next;
    }
    const last = labels.at(-1) ?? '';
    let series = level.get(last) as Series | undefined;
    if (series === undefined) {
      series = this.#add(labels);
      level.set(last, series);
    }
    return series;
  }

  #add(labels: readonly string[]): Series {
    const named = Object.fromEntries(this.#labelNames.map((name, index) => [name, labels[index] as string]));
    const buckets = new Float64Array(this.#bounds.length + 1);
    const series: Series = { labels: named, buckets, sum: 0, count: 0 };
    this.#series.push(series);
    return series;
  }
}
