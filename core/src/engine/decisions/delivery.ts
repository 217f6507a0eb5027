import type { ReceiptKind } from '../../plugin/index.ts';
import type { TimelineEvent } from './timeline.ts';

/** Receipts by kind, with their precedence: higher wins. */
export type Receipts = ReadonlyMap<string, number>;

/** A bad end outranks every good sign: what was opened by a scanner may still have bounced. */
const COMMON: readonly ReceiptKind[] = [
  { kind: 'delivered', precedence: 10 },
  { kind: 'opened', precedence: 20 },
  { kind: 'clicked', precedence: 30 },
  { kind: 'replied', precedence: 40 },
  { kind: 'bounced', precedence: 50 },
  { kind: 'complained', precedence: 60 },
];

/** Receipts of these kinds prove that the job was sent: also what bounced had been accepted before. */
export const PROVING: ReadonlySet<string> = new Set(COMMON.map(({ kind }) => kind));

/** The common kinds and those of a module; a module's own word counts. */
export function receiptsOf(declared: readonly ReceiptKind[] = []): Receipts {
  return new Map([...COMMON, ...declared].map(({ kind, precedence }) => [kind, precedence]));
}

/** The receipt that counts: the latest among those of the highest precedence. Null if there is none. */
export function deliveryOf(events: readonly TimelineEvent[], receipts: Receipts): string | null {
  let best: string | null = null;
  let highest = Number.NEGATIVE_INFINITY;
  for (const { kind } of events) {
    const precedence = receipts.get(kind);
    if (precedence === undefined || precedence < highest) continue;
    best = kind;
    highest = precedence;
  }
  return best;
}
