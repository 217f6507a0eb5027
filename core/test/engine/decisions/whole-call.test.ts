import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../../src/engine/decisions/backoff.ts';
import type { SettleContext } from '../../../src/engine/decisions/settle.ts';
import { coversCall, judgeWholeCall } from '../../../src/engine/decisions/whole-call.ts';
import type { JobResult } from '../../../src/plugin/index.ts';
import { results } from '../../helpers/arbitraries.ts';

const context = (changes: Partial<SettleContext> = {}): SettleContext => ({
  guarantee: { kind: 'keyed', scope: 'call', ttlMs: 60_000 },
  policy: DEFAULT_RETRY,
  spent: 0,
  ageMs: 0,
  firstLeaseAgeMs: 0,
  possibleDuplicate: false,
  fences: 1,
  ...changes,
});

const busy: JobResult = { status: 'retry', code: 'busy' };
const slow: JobResult = { status: 'throttled', afterMs: 700 };
const doubt: JobResult = { status: 'retry', code: 'reset', possibleDuplicate: true };
const done: JobResult = { status: 'succeeded' };

describe('a call whose key covers all of its jobs', () => {
  it('is one under a key of scope call, and no other', () => {
    expect(coversCall({ kind: 'keyed', scope: 'call', ttlMs: 1 })).toBe(true);
    expect(coversCall({ kind: 'keyed', scope: 'job', ttlMs: 1 })).toBe(false);
    expect(coversCall({ kind: 'at-most-once' })).toBe(false);
    expect(coversCall({ kind: 'at-least-once' })).toBe(false);
    expect(coversCall({ kind: 'reconcilable', settleMs: 1 })).toBe(false);
  });

  it('is made once more for all of them if its repeat was put off', () => {
    const { same } = judgeWholeCall([busy, slow, busy], context({ fences: 2 }));
    expect(same).toEqual({ kind: 'open', data: null, checkAfterMs: 2_000 });
    expect(judgeWholeCall([slow, slow], context({ fences: 2 })).same).toMatchObject({
      kind: 'open',
      checkAfterMs: 700,
    });
  });

  it('ends as unknown for all of them if its repeats were put off too often', () => {
    const { same } = judgeWholeCall([slow, busy], context({ fences: DEFAULT_RETRY.maxAttempts }));
    expect(same).toMatchObject({ kind: 'unknown', data: { code: 'busy' } });
  });

  it('is taken at its word if it is the first one, or if some of its jobs have an answer', () => {
    expect(judgeWholeCall([busy, slow], context()).same).toBeUndefined();
    expect(judgeWholeCall([busy, done], context({ fences: 3 })).same).toBeUndefined();
  });

  it('leaves a doubt about some of its jobs unknown, since they cannot be repeated alone', () => {
    const { results: judged } = judgeWholeCall([doubt, done, busy], context());
    expect(judged.map(({ status }) => status)).toEqual(['unknown', 'succeeded', 'retry']);
    expect(judgeWholeCall([doubt, doubt], context()).results).toEqual([doubt, doubt]);
  });

  it('never keeps the fences of some of its jobs open alone', () => {
    fc.assert(
      fc.property(
        fc.array(results, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        (all, fences) => {
          const { same, results: judged } = judgeWholeCall(all, context({ fences }));
          const open = judged.filter(
            (result) => result.status === 'retry' && result.possibleDuplicate === true,
          );
          expect(same !== undefined || open.length === 0 || open.length === judged.length).toBe(true);
          expect(judged).toHaveLength(all.length);
        },
      ),
    );
  });
});
