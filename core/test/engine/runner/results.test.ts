import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isResolution, isResult, matchResults } from '../../../src/engine/runner/results.ts';
import { results } from '../../helpers/arbitraries.ts';

const ok = { status: 'succeeded' };
const match = (ids: string[], answer: unknown) => matchResults(ids, answer, isResult);

describe('a result that the engine can act on', () => {
  it('E22: is every result of the contract', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(isResult(result)).toBe(true);
      }),
    );
  });

  it.each([
    undefined,
    null,
    'succeeded',
    {},
    { status: 'done' },
    { status: 'failed' },
    { status: 'retry', code: 7 },
    { status: 'throttled' },
    { status: 'throttled', afterMs: Number.NaN },
    { status: 'pending', ref: 'r' },
    { status: 'pending', checkAfterMs: 1 },
    { status: 'absent' },
  ])('E22: is not %j', (value) => expect(isResult(value)).toBe(false));

  it('E22: may be absent or undecided as a resolution', () => {
    expect(isResolution({ status: 'absent' })).toBe(true);
    expect(isResolution({ status: 'undecided' })).toBe(true);
    expect(isResolution(ok)).toBe(true);
    expect(isResolution({ status: 'perhaps' })).toBe(false);
  });
});

describe('the answer to a call', () => {
  it('E22: is matched by position where no result names its job', () => {
    const failed = { status: 'failed', code: 'c' };
    expect(match(['a', 'b'], [ok, failed])).toEqual({ results: [ok, failed], violation: undefined });
  });

  it('E22: is matched by job id in whatever order', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.nat(), (jobIds, seed) => {
        const answer = jobIds.map((jobId, index) => ({ ...ok, ref: String(index), jobId }));
        const turned = answer.map((_, index) => answer[(index + seed) % answer.length]);
        const { results: found, violation } = match(jobIds, turned);
        expect(violation).toBeUndefined();
        expect(found.map((result) => (result as { ref?: string }).ref)).toEqual(
          jobIds.map((_, i) => String(i)),
        );
      }),
    );
  });

  it('E22: never counts as a success for a job that it does not name', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'x', 'y');
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (named) => {
        const jobIds = ['a', 'b', 'c'];
        const { results: found, violation } = match(
          jobIds,
          named.map((jobId) => ({ ...ok, jobId })),
        );
        for (const [index, id] of jobIds.entries()) {
          const times = named.filter((name) => name === id).length;
          expect(found[index] !== undefined).toBe(times === 1);
        }
        const sound =
          named.length === 3 && new Set(named).size === 3 && named.every((n) => jobIds.includes(n));
        expect(violation === undefined).toBe(sound);
      }),
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['is no list', { 0: ok }, /not a list/],
    ['has too few results', [ok], /1 results for 2 jobs/],
    ['has too many results', [ok, ok, ok], /3 results for 2 jobs/],
    ['misses a job', [{ ...ok, jobId: 'a' }], /missing/],
    [
      'names a job twice',
      [
        { ...ok, jobId: 'a' },
        { ...ok, jobId: 'a' },
      ],
      /two results/,
    ],
    [
      'names a foreign job',
      [
        { ...ok, jobId: 'a' },
        { ...ok, jobId: 'z' },
      ],
      /not in the call/,
    ],
    ['holds a malformed result', [ok, { status: 'fine' }], /malformed/],
    ['names some jobs only', [{ ...ok, jobId: 'a' }, ok], /not in the call/],
  ])('E22: that %s is a violation, and nobody else succeeds by it', (_name, answer, violation) => {
    const found = match(['a', 'b'], answer);
    expect(found.violation).toMatch(violation);
    expect(found.results).toHaveLength(2);
    expect(found.results[1]).toBeUndefined();
  });
});
