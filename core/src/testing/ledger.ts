import type { Job, JobResult, Resolution } from '../plugin/index.ts';

/** What a fake provider was asked about one job. */
export interface LedgerEntry<P> {
  readonly kind: 'call' | 'resolve';
  /** Number of the call, from 1; jobs of one call share it. */
  readonly call: number;
  readonly job: Job<P>;
  readonly idempotencyKey: string;
  /** By `performance.now()`. */
  readonly startedMs: number;
  /** Undefined while the call runs. */
  endedMs?: number;
  /** What was answered; undefined while the call runs, and if it threw. */
  answer?: JobResult | Resolution;
  thrown?: unknown;
}

/** Everything that a fake provider was asked, in order. */
export class Ledger<P> {
  readonly #entries: LedgerEntry<P>[] = [];
  readonly #counts = new Map<string, number>();
  #calls = 0;
  #running = 0;
  #mostRunning = 0;

  get entries(): readonly LedgerEntry<P>[] {
    return this.#entries;
  }

  /** Calls made, those of `resolve` not counted. */
  get calls(): number {
    return this.#calls;
  }

  /** Calls under way. */
  get running(): number {
    return this.#running;
  }

  /** The most calls that ever ran at once. */
  get mostRunning(): number {
    return this.#mostRunning;
  }

  /** How many different jobs were called. */
  get jobs(): number {
    return this.#counts.size;
  }

  /** How often a job was called. */
  count(jobId: string): number {
    return this.#counts.get(jobId) ?? 0;
  }

  /** Ids of the jobs that were called more than once. */
  repeated(): string[] {
    return [...this.#counts].filter(([, count]) => count > 1).map(([jobId]) => jobId);
  }

  /** Notes the start of a call; the answered function notes its end. */
  begin(kind: LedgerEntry<P>['kind'], jobs: readonly Job<P>[], idempotencyKey: string): LedgerEntry<P>[] {
    if (kind === 'call') this.#calls++;
    this.#mostRunning = Math.max(this.#mostRunning, ++this.#running);
    const startedMs = performance.now();
    const entries = jobs.map((job) => ({ kind, call: this.#calls, job, idempotencyKey, startedMs }));
    this.#entries.push(...entries);
    if (kind === 'call') for (const { id } of jobs) this.#counts.set(id, this.count(id) + 1);
    return entries;
  }

  end(entries: readonly LedgerEntry<P>[]): void {
    this.#running--;
    const endedMs = performance.now();
    for (const entry of entries) entry.endedMs = endedMs;
  }
}
