import type { Receipt } from './ledger.ts';
import type { Sabotage } from './settings.ts';

/**
 * Falsifies a receiver's book, to show that the check would notice. Nothing that was sent changes.
 * @throws Error if the book has no such entry.
 */
export function sabotaged(receipts: readonly Receipt[], how: Sabotage | undefined): readonly Receipt[] {
  if (how === undefined) return receipts;
  const at = receipts.findIndex(({ taken }) => taken === (how !== 'accept-failed'));
  const entry = receipts[at];
  if (entry === undefined) throw new Error(`DEMO_SABOTAGE=${how} found nothing to falsify`);
  if (how === 'drop-one') return receipts.toSpliced(at, 1);
  return how === 'double-one' ? [...receipts, entry] : receipts.with(at, { ...entry, taken: true });
}
