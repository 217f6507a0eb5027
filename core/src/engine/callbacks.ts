import type { CallbackAnswer } from '../plugin/index.ts';
import type { AuditLog } from './audit.ts';
import type { Suppressions } from './suppressions.ts';

/** What became of the receipts of a report. */
export interface ReceiptCounts {
  readonly recorded: number;
  /** Known already, by their `eventId`. */
  readonly duplicates: number;
  /** About jobs that the connection does not have. */
  readonly foreign: number;
}

/** Whose callback it is: the parts of its URL. */
export interface CallbackTarget {
  readonly type: string;
  readonly provider: string;
  readonly connectionId: string;
}

/** A request as the host got it. */
export interface IncomingCallback {
  readonly method: 'GET' | 'POST';
  /** Path and query, as they stand in the request. The engine puts its public URL before them. */
  readonly path: string;
  /** By lower-case name; of one that came twice, the values joined with a comma and a space. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** What is answered to the provider. */
export type CallbackResponse = NonNullable<CallbackAnswer['response']>;

/** What comes in about jobs after they were sent, and what it leads to. */
export interface ReceivingEngine {
  /**
   * Records what a provider reported about jobs of a connection; resolves when it is committed. Callbacks
   * and sessions do this by themselves. @throws BatchSenderError `connection_not_found`
   */
  receive(
    connectionId: string,
    report: Pick<CallbackAnswer, 'events' | 'suppress' | 'lift'>,
  ): Promise<ReceiptCounts>;
  /**
   * Hands a request to the callback handler of a provider, and records what it reads there. Anything but a
   * BatchSenderError must be answered with 500, so that the provider sends it again.
   * @throws BatchSenderError `callback_not_found`, `callback_refused` (401), `callback_invalid` (400).
   */
  callback(target: CallbackTarget, request: IncomingCallback): Promise<CallbackResponse>;
  /** Recipients to whom nothing is sent. */
  readonly suppressions: Suppressions;
  /** Who did what. */
  readonly audit: AuditLog;
}
