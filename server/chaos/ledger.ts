import {
  LEDGER_PROVIDERS,
  type LedgerCall,
  type LedgerProvider,
  type LedgerProviderSettings,
} from '../../core/chaos/ledger.ts';

/** A call that takes longer has no result. */
export const TIMEOUT_MS = 10_000;

/** A provider for each guarantee. All of them call the ledger over HTTP. */
export const PROVIDERS: Readonly<Record<LedgerProvider, LedgerProviderSettings>> = {
  ...LEDGER_PROVIDERS,
  // A call may arrive as late as it times out: only then the ledger can say that it knows nothing of it.
  asked: { guarantee: { kind: 'reconcilable', settleMs: 11_000 }, batchSize: 1 },
};

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
