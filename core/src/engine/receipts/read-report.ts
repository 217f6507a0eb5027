import { hash } from 'node:crypto';
import type { CallbackAnswer, Receipt } from '../../plugin/index.ts';
import { PROVING, type Receipts, receiptsOf } from '../decisions/delivery.ts';
import { JOB_ID } from '../ids.ts';
import type { ReceiptRow } from '../receipt-store.ts';
import { normalizeRecipient } from '../suppression/suppression-list.ts';
import type { SuppressionReason } from '../suppressions.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { receiptData } from './receipt-data.ts';

/** What a session or a callback reports. */
export type Report = Pick<CallbackAnswer, 'events' | 'suppress' | 'lift'>;

/** A report that was checked. */
export interface ReadReport {
  readonly rows: readonly ReceiptRow[];
  readonly suppress: readonly { readonly recipient: string; readonly reason: SuppressionReason }[];
  readonly lift: readonly string[];
  /** Receipts that name no job of ours by its form. */
  readonly foreign: number;
  /** What the plugin did wrong: what of its report is not kept, and why. */
  readonly problems: readonly string[];
}

/** What receipts are read by, and what is found wrong with them. */
interface Reading {
  readonly connection: ConnectionFacts;
  readonly kinds: Receipts;
  readonly problems: Set<string>;
}

const HEX_DIGITS = 32;
const MAX_EVENT_ID = 1_000;
const REASONS = new Set<unknown>(['bounced', 'complained', 'unsubscribed']);

/** Reads what a provider reported. Nothing of it is believed that the contract does not allow. */
export function readReport(connection: ConnectionFacts, report: Report): ReadReport {
  const problems = new Set<string>();
  const rows = new Map<string, ReceiptRow>();
  const kinds = receiptsOf(connection.module.receipts);
  let foreign = 0;
  for (const receipt of list(report?.events)) {
    const row = readReceipt({ connection, kinds, problems }, receipt as Receipt);
    if (row === 'foreign') foreign += 1;
    else if (row !== undefined && !rows.has(row.hash)) rows.set(row.hash, row);
  }
  const normal = (text: unknown): string[] => {
    const found = typeof text === 'string' ? normalizeRecipient(connection.module, text) : undefined;
    if (found === undefined) problems.add('a recipient to be suppressed or lifted is not one');
    return found === undefined ? [] : [found];
  };
  const suppress = list(report?.suppress).flatMap((entry) => {
    const { recipient, reason } = (entry ?? {}) as { recipient?: unknown; reason?: unknown };
    if (REASONS.has(reason))
      return normal(recipient).map((text) => ({ recipient: text, reason: reason as SuppressionReason }));
    problems.add('a suppression has an unknown reason');
    return [];
  });
  const lift = list(report?.lift).flatMap(normal);
  return { rows: [...rows.values()], suppress, lift, foreign, problems: [...problems] };
}

function readReceipt(
  { connection, kinds, problems }: Reading,
  receipt: Partial<Receipt> | null,
): ReceiptRow | 'foreign' | undefined {
  const { connectionId } = connection;
  const { jobId, kind, eventId, at, data } = receipt ?? {};
  const place = typeof jobId === 'string' ? JOB_ID.exec(jobId) : null;
  if (place === null) return 'foreign';
  if (typeof kind !== 'string' || !kinds.has(kind)) {
    problems.add(`the receipt kind '${String(kind).slice(0, 40)}' is not declared in the module's receipts`);
    return undefined;
  }
  if (typeof eventId !== 'string' || eventId === '' || eventId.length > MAX_EVENT_ID) {
    problems.add(`an eventId is not a text of 1 to ${MAX_EVENT_ID} characters`);
    return undefined;
  }
  return {
    hash: hash('sha256', JSON.stringify([connectionId, eventId]), 'hex').slice(0, HEX_DIGITS),
    connectionId,
    batchId: (place[1] as string).toLowerCase(),
    seq: Number(place[2]),
    kind,
    data: receiptData(data, at),
    proves: PROVING.has(kind),
  };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
