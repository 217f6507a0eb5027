import type { Guarantee } from '@batchsender/core/plugin';

/** The type of the jobs that a chaos run sends. */
export const LEDGER_TYPE = 'ledger';

/** A call that takes longer has no result. */
export const TIMEOUT_MS = 10_000;

/** A provider for each guarantee. All of them call the ledger over HTTP. */
export const PROVIDERS = {
  once: { guarantee: { kind: 'at-most-once' }, batchSize: 1 },
  least: { guarantee: { kind: 'at-least-once' }, batchSize: 1 },
  keyed: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 3_600_000 }, batchSize: 1 },
  keyedcall: { guarantee: { kind: 'keyed', scope: 'call', ttlMs: 3_600_000 }, batchSize: 5 },
  // A call may arrive as late as it times out: only then the ledger can say that it knows nothing of it.
  asked: { guarantee: { kind: 'reconcilable', settleMs: 11_000 }, batchSize: 1 },
} as const satisfies Record<string, { readonly guarantee: Guarantee; readonly batchSize: number }>;

export type ProviderName = keyof typeof PROVIDERS;

export const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

/** One job in a call. `n` is its number in the whole run. */
export interface LedgerJob {
  readonly id: string;
  readonly batchId: string;
  readonly n: number;
  readonly possibleDuplicate: boolean;
}

/** The body of a call. */
export interface LedgerCall {
  /** Process id of the caller. */
  readonly pid: number;
  readonly provider: ProviderName;
  readonly attempt: number;
  readonly key: string;
  readonly jobs: readonly LedgerJob[];
}

/**
 * What the ledger does with a call. It takes the jobs with `ok`, `slow`, `dropped` (the connection
 * breaks instead of the answer) and `late` (the answer comes when the caller has given up); with
 * `lost` the connection breaks and nothing is taken; the others are clear refusals.
 */
export type CallFate = 'ok' | 'slow' | 'dropped' | 'late' | 'lost' | 'busy' | 'throttled' | 'rejected';

/** A line of the ledger's file. */
export interface LedgerLine extends LedgerCall {
  readonly fate: CallFate;
  /** Milliseconds since 1970 at which the call had arrived. */
  readonly atMs: number;
  /** For each job: it was delivered because of this call. */
  readonly took: readonly boolean[];
}
