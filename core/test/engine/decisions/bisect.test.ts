import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRetry } from '../../../src/engine/decisions/backoff.ts';
import { type BisectContext, bisect, diedAlone } from '../../../src/engine/decisions/bisect.ts';
import type { Due, OpenFence } from '../../../src/engine/decisions/due.ts';
import { newLease } from '../../../src/engine/runner/new-lease.ts';

const lease = { ...newLease('batch', [1, 0, 100]), deaths: 2, interrupted: true };
const context: BisectContext = { policy: mergeRetry({}, {}), random: () => 0.5, repeatable: true };

const fence = (seq: number, more: Partial<OpenFence> = {}): OpenFence => ({
  seq,
  pending: false,
  ageMs: 0,
  fences: 1,
  ...more,
});

const sizeOf = ({ fresh, fenced }: Due): number => fresh.length + fenced.length;

/** Of a chunk that died alone for the last time. */
const seqsAfter = (due: Due, more: Partial<BisectContext> = {}, size = sizeOf(due)) => {
  const found = bisect(due, [], { ...lease, deaths: 4, size }, { ...context, ...more });
  if (found === undefined) throw new Error('it would run alone once more');
  const { settled, end } = found;
  return { settled, halves: end.chunks.map(({ seqs }) => seqs), chunks: end.chunks };
};

describe('a chunk that died alone', () => {
  it('E21: is known by its second death: the first one was in company', () => {
    expect([0, 1, 2, 3].map((deaths) => diedAlone({ deaths }))).toEqual([false, false, true, true]);
  });

  it('E21: is halved, with its attempt and its budget', () => {
    const { settled, chunks } = seqsAfter({ fresh: [1, 2, 3, 4, 5], fenced: [] });
    expect(settled).toEqual([]);
    const same = { attempt: 1, spent: 0, uncertain: false, split: true, dueInMs: 0 };
    expect(chunks).toEqual([
      { ...same, seqs: [1, 2, 3] },
      { ...same, seqs: [4, 5] },
    ]);
  });

  it('E21: makes the follow-ups of what an earlier lease had closed to be tried again', () => {
    const again = [{ seq: 9, spent: false, afterMs: 2_000, uncertain: false }];
    const found = bisect({ fresh: [1, 2], fenced: [] }, again, lease, context);
    expect(found?.end.chunks.map(({ seqs, attempt }) => [seqs, attempt])).toEqual([
      [[9], 2],
      [[1], 1],
      [[2], 1],
    ]);
  });

  it('E21: never tears a fenced call apart', () => {
    const fenced = [fence(2, { callKey: 'a' }), fence(3, { callKey: 'a' }), fence(4, { callKey: 'b' })];
    expect(seqsAfter({ fresh: [1], fenced }).halves).toEqual([[1, 2, 3], [4]]);
  });

  it.each([
    ['that was not fenced', { fresh: [5], fenced: [] }, true, 'failed'],
    ['whose call may be repeated', { fresh: [], fenced: [fence(5)] }, true, 'failed'],
    ['whose call must not be repeated', { fresh: [], fenced: [fence(5)] }, false, 'unknown'],
    ['that the provider holds', { fresh: [], fenced: [fence(5, { pending: true })] }, true, 'unknown'],
    ['not fenced, of whatever guarantee', { fresh: [5], fenced: [] }, false, 'failed'],
  ] as const)('E21: ends a last job %s', (_what, due, repeatable, kind) => {
    const { settled, chunks } = seqsAfter(due, { repeatable });
    expect(settled).toMatchObject([{ seq: 5, kind, data: { code: 'runner_died' } }]);
    expect(chunks).toEqual([]);
  });

  it.each([
    [2, 'again'],
    [3, 'again'],
    [4, 'failed'],
  ])('E21: of one job, after %i deaths with the one in company: %s', (deaths, what) => {
    const found = bisect({ fresh: [5], fenced: [] }, [], { ...lease, size: 1, deaths }, context);
    expect(found === undefined ? 'again' : found.settled[0]?.kind).toBe(what);
  });

  it('E21: tries a last job alone once more, if others were delivered beside it', () => {
    const { settled, halves } = seqsAfter({ fresh: [5], fenced: [] }, {}, 8);
    expect([settled, halves]).toEqual([[], [[5]]]);
  });

  it('E21: ends all jobs of a last call as unknown: one of them is the culprit', () => {
    const fenced = [fence(2, { callKey: 'a' }), fence(3, { callKey: 'a' })];
    const { settled } = seqsAfter({ fresh: [], fenced });
    expect(settled.map(({ seq, kind }) => [seq, kind])).toEqual([
      [2, 'unknown'],
      [3, 'unknown'],
    ]);
  });

  it('E21: closes when nothing of it was left', () => {
    expect(seqsAfter({ fresh: [], fenced: [] })).toMatchObject({ settled: [], halves: [] });
  });

  it('E2, E21: keeps every job in exactly one place, and comes to an end', () => {
    const jobs = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(jobs, fc.nat(9), (seqs, every) => {
        const due: Due = {
          fresh: seqs.filter((seq) => seq % 10 > every),
          fenced: seqs.filter((seq) => seq % 10 <= every).map((seq) => fence(seq)),
        };
        const { settled, halves } = seqsAfter(due);
        const placed = [...settled.map(({ seq }) => seq), ...halves.flat()];
        expect(placed.toSorted((a, b) => a - b)).toEqual(seqs.toSorted((a, b) => a - b));
        for (const half of halves) expect(half.length).toBeLessThan(seqs.length);
      }),
    );
  });
});
