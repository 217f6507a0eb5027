import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOfChunk, type Rest } from '../../../src/engine/decisions/close.ts';
import type { Again, FollowUpContext } from '../../../src/engine/decisions/follow-up.ts';

const context: FollowUpContext = {
  attempt: 3,
  spent: 1,
  uncertain: false,
  policy: { maxAttempts: 5, baseMs: 100, capMs: 1_000, maxAgeMs: 100_000 },
  random: () => 0.5,
};

const again = (seq: number): Again => ({ seq, spent: true, afterMs: undefined, uncertain: false });

/** What became of each of a chunk's jobs in one lease. */
type Fate =
  | { kind: 'settled' }
  | { kind: 'again'; job: Omit<Again, 'seq'> }
  | { kind: 'rest'; dueInMs: number };

const fates: fc.Arbitrary<Fate[]> = fc.array(
  fc.oneof(
    fc.constant<Fate>({ kind: 'settled' }),
    fc.record({
      kind: fc.constant('again' as const),
      job: fc.record({
        spent: fc.boolean(),
        afterMs: fc.option(fc.nat(10_000), { nil: undefined }),
        uncertain: fc.boolean(),
      }),
    }),
    fc.record({ kind: fc.constant('rest' as const), dueInMs: fc.constantFrom(-5, 0, 1_000, 7_000) }),
  ),
  { maxLength: 80 },
);

function partition(jobs: readonly Fate[]): { rest: Rest[]; tried: Again[] } {
  const byDelay = new Map<number, number[]>();
  const tried: Again[] = [];
  for (const [seq, fate] of jobs.entries()) {
    if (fate.kind === 'again') tried.push({ seq, ...fate.job });
    if (fate.kind === 'rest') byDelay.set(fate.dueInMs, [...(byDelay.get(fate.dueInMs) ?? []), seq]);
  }
  return { rest: [...byDelay].map(([dueInMs, seqs]) => ({ seqs, dueInMs })), tried };
}

describe('the end of a chunk', () => {
  it('E2: loses and doubles nobody, over any mix of outcomes, follow-ups and splits', () => {
    fc.assert(
      fc.property(fates, (jobs) => {
        const { rest, tried } = partition(jobs);
        const end = endOfChunk(rest, tried, context);
        const open = jobs.flatMap((fate, seq) => (fate.kind === 'settled' ? [] : [seq]));
        if (end.kind === 'giveBack') {
          // The chunk stays as it is: that is right only if none of its jobs moves elsewhere.
          expect(tried).toEqual([]);
          expect(end.dueInMs).toBeGreaterThanOrEqual(0);
          expect(rest.flatMap((part) => part.seqs).sort((a, b) => a - b)).toEqual(open);
          return;
        }
        expect(end.kind).toBe('close');
        const held = end.kind === 'close' ? end.chunks.flatMap((chunk) => chunk.seqs) : [];
        expect(held.sort((a, b) => a - b)).toEqual(open);
      }),
    );
  });

  it('E1: gives a job that was not started the same attempt, and one that was tried a higher one', () => {
    fc.assert(
      fc.property(fates, (jobs) => {
        const { rest, tried } = partition(jobs);
        const end = endOfChunk(rest, tried, context);
        if (end.kind !== 'close') return;
        for (const chunk of end.chunks) {
          expect(chunk.attempt).toBe(context.attempt + (chunk.split ? 0 : 1));
          for (const seq of chunk.seqs) expect(jobs[seq]?.kind).toBe(chunk.split ? 'rest' : 'again');
        }
      }),
    );
  });

  it('E10: closes without chunks when everybody is settled', () => {
    expect(endOfChunk([], [], context)).toEqual({ kind: 'close', chunks: [] });
    expect(endOfChunk([{ seqs: [], dueInMs: 9 }], [], context)).toEqual({ kind: 'close', chunks: [] });
  });

  it('E16: gives the chunk back as it is while nobody of it waits for a follow-up', () => {
    expect(endOfChunk([{ seqs: [1, 2], dueInMs: 3_000 }], [], context)).toEqual({
      kind: 'giveBack',
      dueInMs: 3_000,
    });
  });

  it('E16: splits off what was not started, so that nobody waits for an endpoint of others', () => {
    const end = endOfChunk([{ seqs: [5], dueInMs: 0 }], [again(7)], context);
    expect(end).toEqual({
      kind: 'close',
      chunks: [
        { seqs: [7], dueInMs: 100, attempt: 4, spent: 2, uncertain: false, split: false },
        { seqs: [5], dueInMs: 0, attempt: 3, spent: 1, uncertain: false, split: true },
      ],
    });
  });

  it('E16: splits by the time when each part may go on', () => {
    const end = endOfChunk(
      [
        { seqs: [1], dueInMs: 1_000 },
        { seqs: [2], dueInMs: 9_000 },
      ],
      [],
      { ...context, uncertain: true },
    );
    expect(end.kind === 'close' && end.chunks).toEqual([
      { seqs: [1], dueInMs: 1_000, attempt: 3, spent: 1, uncertain: true, split: true },
      { seqs: [2], dueInMs: 9_000, attempt: 3, spent: 1, uncertain: true, split: true },
    ]);
  });
});
