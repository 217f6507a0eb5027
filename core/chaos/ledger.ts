import type { Guarantee } from '../src/plugin/index.ts';
import type { LedgerEntry } from '../test/helpers/model-vendor.ts';

/** The type of the jobs that a chaos run sends. */
export const LEDGER_TYPE = 'ledger';

/** A provider for each guarantee. All of them call the ledger receiver over HTTP. */
export const LEDGER_PROVIDERS = {
  once: { guarantee: { kind: 'at-most-once' }, batchSize: 1 },
  least: { guarantee: { kind: 'at-least-once' }, batchSize: 1 },
  keyed: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 3_600_000 }, batchSize: 1 },
  keyedcall: { guarantee: { kind: 'keyed', scope: 'call', ttlMs: 3_600_000 }, batchSize: 5 },
  asked: { guarantee: { kind: 'reconcilable', settleMs: 200 }, batchSize: 1 },
} as const satisfies Record<string, { readonly guarantee: Guarantee; readonly batchSize: number }>;

export type LedgerProvider = keyof typeof LEDGER_PROVIDERS;

export const LEDGER_PROVIDER_NAMES = Object.keys(LEDGER_PROVIDERS) as LedgerProvider[];

/** The body of a call. */
export interface LedgerCall {
  /** Process id of the caller. */
  readonly engine: number;
  readonly provider: LedgerProvider;
  readonly attempt: number;
  readonly key: string;
  /** When the call was started, by the machine's monotonic clock: the same one in all processes. */
  readonly startedMs: number;
  readonly jobs: readonly {
    readonly id: string;
    readonly batchId: string;
    readonly possibleDuplicate: boolean;
  }[];
}

/** One job in one call, as the receiver saw it; `engine` is the process id of the caller. */
export interface ChaosEntry extends LedgerEntry {
  readonly startedMs: number;
}

/** The machine's monotonic clock, in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
