import type { ChunkEnd, NewChunk } from '../store.ts';
import { type Again, type FollowUpContext, followUps } from './follow-up.ts';

/** Jobs that were not closed in this lease, and when they may go on. */
export interface Rest {
  readonly seqs: readonly number[];
  readonly dueInMs: number;
}

/**
 * How a chunk is left when its runner is done with it. Without a rest it closes. With one it
 * is given back as it is; but where other jobs of it wait for their follow-up, the rest moves
 * to chunks of its own with the same attempt, so that nobody waits for somebody else's endpoint.
 */
export function endOfChunk(
  rest: readonly Rest[],
  again: readonly Again[],
  context: FollowUpContext,
): ChunkEnd {
  const waiting = rest.filter((part) => part.seqs.length > 0);
  if (waiting.length === 0) return { kind: 'close', chunks: followUps(again, context) };
  if (again.length === 0 && waiting.length === 1) {
    return { kind: 'giveBack', dueInMs: Math.max(0, waiting[0]?.dueInMs ?? 0) };
  }
  const splits = waiting.map(
    (part): NewChunk => ({
      seqs: part.seqs,
      dueInMs: Math.max(0, part.dueInMs),
      attempt: context.attempt,
      spent: context.spent,
      uncertain: context.uncertain,
      split: true,
    }),
  );
  return { kind: 'close', chunks: [...followUps(again, context), ...splits] };
}
