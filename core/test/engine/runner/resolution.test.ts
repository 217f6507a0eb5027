import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../../src/engine/decisions/backoff.ts';
import type { OpenFence } from '../../../src/engine/decisions/due.ts';
import type { SettleContext } from '../../../src/engine/decisions/settle.ts';
import { resolutionSettlement } from '../../../src/engine/runner/resolution.ts';

const context: SettleContext = {
  guarantee: { kind: 'reconcilable', settleMs: 10_000 },
  policy: DEFAULT_RETRY,
  spent: 0,
  ageMs: 0,
  firstLeaseAgeMs: 0,
  possibleDuplicate: false,
  fences: 1,
};

const fence = (ageMs: number, ref?: string): OpenFence => ({
  seq: 0,
  pending: ref !== undefined,
  ageMs,
  fences: 1,
  ...(ref === undefined ? {} : { ref }),
});

describe('what a provider says of a job whose call left no result', () => {
  it('absent is not believed before settleMs, and leads to a call afterwards', () => {
    expect(resolutionSettlement({ status: 'absent' }, context, fence(4_000))).toEqual({
      kind: 'open',
      data: null,
      checkAfterMs: 6_000,
    });
    expect(resolutionSettlement({ status: 'absent' }, context, fence(10_000))).toBe('call');
  });

  it('absent after the last attempt of the budget fails the job: it was certainly not taken', () => {
    const spent = { ...context, fences: DEFAULT_RETRY.maxAttempts };
    expect(resolutionSettlement({ status: 'absent' }, spent, fence(10_000))).toMatchObject({
      kind: 'failed',
      data: { code: 'absent', exhausted: true },
    });
  });

  it('undecided ends as unknown', () => {
    expect(resolutionSettlement({ status: 'undecided' }, context, fence(0))).toMatchObject({
      kind: 'unknown',
      data: { code: 'undecided' },
    });
  });

  it('a result settles the job', () => {
    const succeeded = resolutionSettlement({ status: 'succeeded', ref: 'r' }, context, fence(0));
    expect(succeeded).toEqual({ kind: 'succeeded', data: { ref: 'r' } });
    expect(resolutionSettlement({ status: 'retry', code: 'c' }, context, fence(0))).toMatchObject({
      kind: 'retried',
    });
  });

  it('pending asks again, and writes nothing if the reference is the same', () => {
    const pending = { status: 'pending', ref: 'r', checkAfterMs: 7_000 } as const;
    expect(resolutionSettlement(pending, context, fence(0, 'r'))).toEqual({
      kind: 'open',
      data: null,
      checkAfterMs: 7_000,
    });
    expect(resolutionSettlement(pending, context, fence(0, 'old'))).toMatchObject({
      kind: 'open',
      data: { pending: true, ref: 'r' },
    });
  });

  it.each([
    [{ status: 'throttled', afterMs: 3_000 } as const, 3_000],
    [{ status: 'blocked', code: 'c' } as const, 1_000],
  ])('%j refuses the question, not the job', (answer, checkAfterMs) => {
    expect(resolutionSettlement(answer, context, fence(0))).toEqual({
      kind: 'open',
      data: null,
      checkAfterMs,
    });
  });

  it('no answer asks again less and less often, until the job is too old', () => {
    const waits = [0, 8_000, 40_000, 10_000_000].map((ageMs) =>
      resolutionSettlement(undefined, context, fence(ageMs)),
    );
    expect(waits).toMatchObject([1_000, 2_000, 10_000, 60_000].map((checkAfterMs) => ({ checkAfterMs })));
    const old = { ...context, ageMs: DEFAULT_RETRY.maxAgeMs };
    expect(resolutionSettlement(undefined, old, fence(0))).toMatchObject({
      kind: 'unknown',
      data: { code: 'expired' },
    });
  });
});
