import type { Guarantee } from '../src/plugin/index.ts';
import type { LedgerEntry } from '../test/helpers/model-vendor.ts';

/** The type of the jobs that a chaos run sends. */
export const LEDGER_TYPE = 'ledger';

/** A provider of the plugin. */
export interface LedgerProviderSettings {
  readonly guarantee: Guarantee;
  readonly batchSize: number;
}

/** A provider for each guarantee. All of them call the ledger receiver over HTTP. */
export const LEDGER_PROVIDERS = {
  once: { guarantee: { kind: 'at-most-once' }, batchSize: 1 },
  least: { guarantee: { kind: 'at-least-once' }, batchSize: 1 },
  keyed: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 3_600_000 }, batchSize: 1 },
  keyedcall: { guarantee: { kind: 'keyed', scope: 'call', ttlMs: 3_600_000 }, batchSize: 5 },
  asked: { guarantee: { kind: 'reconcilable', settleMs: 200 }, batchSize: 1 },
} as const satisfies Record<string, LedgerProviderSettings>;

export type LedgerProvider = keyof typeof LEDGER_PROVIDERS;

export const LEDGER_PROVIDER_NAMES = Object.keys(LEDGER_PROVIDERS) as LedgerProvider[];

/** One job in a call; `n` is from its payload. */
export interface LedgerJob {
  readonly id: string;
  readonly batchId: string;
  readonly n: number;
  readonly possibleDuplicate: boolean;
}

/** The body of a call. */
export interface LedgerCall {
  /** Process id of the caller. */
  readonly engine: number;
  readonly provider: LedgerProvider;
  readonly attempt: number;
  readonly key: string;
  /** When the call was started, by the machine's monotonic clock: the same one in all processes. */
  readonly startedMs: number;
  readonly jobs: readonly LedgerJob[];
}

/** One job in one call, as the receiver saw it; `engine` is the process id of the caller. */
export interface ChaosEntry extends LedgerEntry {
  readonly startedMs: number;
}

/** A call in the words of the engine's model: an entry for each of its jobs, `took` in their order. */
export function entriesOf(
  call: LedgerCall,
  guarantee: Guarantee,
  took: readonly boolean[],
  atMs: number,
): ChaosEntry[] {
  const { engine, provider, attempt, key, startedMs, jobs } = call;
  const members = jobs.map(({ id }) => id);
  return jobs.map(({ id, batchId, possibleDuplicate }, index) => ({
    engine,
    provider,
    guarantee,
    jobId: id,
    batchId,
    attempt,
    key,
    members,
    possibleDuplicate,
    took: took[index] === true,
    atMs,
    startedMs,
  }));
}

/** The machine's monotonic clock, in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
