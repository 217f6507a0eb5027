import { seededRandom } from '../../core/test/helpers/model-random.ts';
import type { CallFate } from './ledger.ts';

const FATES: Readonly<Record<CallFate, number>> = {
  ok: 92,
  slow: 2,
  dropped: 2,
  late: 0.1,
  lost: 0.6,
  busy: 2,
  throttled: 0.3,
  rejected: 0.6,
};

const SLOW = 8;

/** What the ledger does with the `nth` call that holds a job, and how long it works on it: the seed decides. */
export function fateOf(
  seed: number,
  n: number,
  nth: number,
  workMs: number,
): { readonly fate: CallFate; readonly workMs: number } {
  const random = seededRandom(`${seed}|${n}|${nth}`);
  const fate = random.weighted(FATES);
  const ownMs = workMs * (0.5 + random.next());
  return { fate, workMs: Math.round(fate === 'slow' ? ownMs * SLOW : ownMs) };
}

export const takes = (fate: CallFate): boolean =>
  fate === 'ok' || fate === 'slow' || fate === 'dropped' || fate === 'late';

/** The caller cannot know what became of the call. */
export const leavesDoubt = (fate: CallFate): boolean =>
  fate === 'dropped' || fate === 'late' || fate === 'lost';
