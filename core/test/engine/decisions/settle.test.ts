import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../../src/engine/decisions/backoff.ts';
import {
  expired,
  type LostCall,
  type SettleContext,
  settle,
  settleDoubtful,
  settleLost,
  settleOpenFence,
} from '../../../src/engine/decisions/settle.ts';
import type { Guarantee, JobResult } from '../../../src/plugin/index.ts';
import { results, settleContexts } from '../../helpers/arbitraries.ts';

const context = (over: Partial<SettleContext> = {}): SettleContext => ({
  guarantee: { kind: 'at-least-once' },
  policy: DEFAULT_RETRY,
  spent: 0,
  ageMs: 0,
  firstLeaseAgeMs: 0,
  possibleDuplicate: false,
  fences: 1,
  ...over,
});

const GUARANTEES: Record<string, Guarantee> = {
  'at-least-once': { kind: 'at-least-once' },
  'at-most-once': { kind: 'at-most-once' },
  reconcilable: { kind: 'reconcilable', settleMs: 2_000 },
  'keyed by job': { kind: 'keyed', scope: 'job', ttlMs: 60_000 },
  'keyed by call': { kind: 'keyed', scope: 'call', ttlMs: 60_000 },
};

const lost: LostCall = { code: 'timeout', message: 'no answer', notSent: false };
const lostCalls: fc.Arbitrary<LostCall> = fc.record({
  code: fc.constantFrom('timeout', 'reset'),
  message: fc.string(),
  notSent: fc.boolean(),
});

describe('a result', () => {
  it('E1: closes the attempt by one event or leaves its fence open, whatever the guarantee', () => {
    const closing = ['succeeded', 'failed', 'unknown', 'retried', 'postponed', 'open'];
    fc.assert(
      fc.property(results, settleContexts, (result, c) => {
        const settlement = settle(result, c);
        expect(closing).toContain(settlement.kind);
        // What is written must be JSON, and a wait must be a time.
        expect(() => JSON.stringify(settlement.data)).not.toThrow();
        const waitMs = settlement.kind === 'open' ? settlement.checkAfterMs : (settlement.afterMs ?? 0);
        expect(Number.isFinite(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it.each<[JobResult['status'], JobResult, string]>([
    ['succeeded', { status: 'succeeded', ref: 'r' }, 'succeeded'],
    ['pending', { status: 'pending', ref: 'r', checkAfterMs: 5 }, 'open'],
    ['retry', { status: 'retry', code: 'c' }, 'retried'],
    ['throttled', { status: 'throttled', afterMs: 5 }, 'postponed'],
    ['blocked', { status: 'blocked', code: 'c' }, 'postponed'],
    ['failed', { status: 'failed', code: 'c' }, 'failed'],
    ['unknown', { status: 'unknown', code: 'c' }, 'unknown'],
  ])('E1: %s means the same under every guarantee', (_status, result, kind) => {
    for (const guarantee of Object.values(GUARANTEES)) {
      expect(settle(result, context({ guarantee })).kind).toBe(kind);
    }
  });

  it('E18: blocked and throttled never fail a job that is young enough, and spend nothing', () => {
    fc.assert(
      fc.property(settleContexts, (c) => {
        const young = { ...c, ageMs: 0, policy: { ...c.policy, maxAgeMs: 10_000 } };
        expect(settle({ status: 'blocked', code: 'quota' }, young).kind).toBe('postponed');
        expect(settle({ status: 'throttled', afterMs: 9_000 }, young).kind).toBe('postponed');
      }),
    );
  });

  it('E4: retry fails once the budget is spent', () => {
    const result: JobResult = { status: 'retry', code: 'http_500', message: 'm' };
    expect(settle(result, context({ spent: 3 })).kind).toBe('retried');
    expect(settle(result, context({ spent: 4 }))).toEqual({
      kind: 'failed',
      data: { code: 'http_500', message: 'm', exhausted: true },
    });
  });

  it('E4: retry is given up as expired where its next try would come too late', () => {
    const old = context({ ageMs: DEFAULT_RETRY.maxAgeMs - 5_000 });
    expect(settle({ status: 'retry', code: 'x', afterMs: 1_000 }, old).kind).toBe('retried');
    expect(settle({ status: 'retry', code: 'x', afterMs: 6_000 }, old)).toMatchObject({
      kind: 'failed',
      data: { code: 'expired', last: 'x' },
    });
    expect(settle({ status: 'throttled', afterMs: 6_000 }, old)).toMatchObject({
      kind: 'failed',
      data: { code: 'expired' },
    });
  });

  it('keeps codes, ids and what the provider adds, and cuts what is too long', () => {
    const data = { segments: 2 };
    expect(settle({ status: 'succeeded', ref: 'x'.repeat(300), data }, context()).data).toEqual({
      segments: 2,
      ref: 'x'.repeat(256),
    });
    expect(settle({ status: 'retry', code: 'c', message: 'm'.repeat(600), data }, context()).data).toEqual({
      segments: 2,
      code: 'c',
      message: 'm'.repeat(500),
    });
    expect(settle({ status: 'succeeded' }, context()).data).toBeNull();
  });

  it('E7: of a repeated call is flagged as a possible duplicate, and so is its follow-up', () => {
    const doubtful = context({ possibleDuplicate: true });
    expect(settle({ status: 'succeeded' }, doubtful).data).toEqual({ possibleDuplicate: true });
    expect(settle({ status: 'retry', code: 'c' }, doubtful)).toMatchObject({ uncertain: true });
    expect(settle({ status: 'throttled', afterMs: 1 }, doubtful)).toMatchObject({ uncertain: true });
  });

  it('E22: with a wait that is no number waits as if none had been asked for', () => {
    const settlement = settle({ status: 'retry', code: 'c', afterMs: Number.NaN }, context());
    expect(settlement).toEqual({ kind: 'retried', data: { code: 'c' }, uncertain: false });
  });

  it.each([
    ['at-least-once', 'retried'],
    ['at-most-once', 'unknown'],
    ['reconcilable', 'open'],
    ['keyed by job', 'retried'],
    ['keyed by call', 'open'],
  ])('E7: retry that may have arrived all the same is a lost call (%s: %s)', (name, kind) => {
    const result: JobResult = { status: 'retry', code: 'reset', possibleDuplicate: true };
    const settlement = settle(result, context({ guarantee: GUARANTEES[name] as Guarantee }));
    expect(settlement.kind).toBe(kind);
    if (kind === 'retried') expect(settlement).toMatchObject({ uncertain: true });
  });
});

describe('a call without a result', () => {
  it('is a plain retry under every guarantee if nothing was sent', () => {
    fc.assert(
      fc.property(settleContexts, (c) => {
        const fresh = { ...c, fences: 1, spent: 0, ageMs: 0, policy: { ...c.policy, maxAttempts: 2 } };
        const settlement = settleLost({ ...lost, notSent: true }, fresh);
        expect(settlement.kind).toBe('retried');
        expect(settlement).toMatchObject({ uncertain: c.possibleDuplicate });
      }),
    );
  });

  it('E7: is never repeated under at-most-once if it may have arrived', () => {
    fc.assert(
      fc.property(settleContexts, lostCalls, (c, call) => {
        const settlement = settleLost(call, { ...c, guarantee: { kind: 'at-most-once' } });
        if (!call.notSent) expect(settlement.kind).toBe('unknown');
      }),
    );
  });

  it.each([
    ['at-least-once', { kind: 'retried', uncertain: true }],
    ['at-most-once', { kind: 'unknown' }],
    ['reconcilable', { kind: 'open', checkAfterMs: 2_000 }],
    ['keyed by job', { kind: 'retried', uncertain: true }],
    ['keyed by call', { kind: 'open', checkAfterMs: 1_000 }],
  ])('is decided by the guarantee (%s)', (name, expected) => {
    const guarantee = GUARANTEES[name] as Guarantee;
    expect(settleLost(lost, context({ guarantee }))).toMatchObject(expected);
  });

  it.each(['at-least-once', 'keyed by job'])('%s: ends as unknown once the budget is spent', (name) => {
    const guarantee = GUARANTEES[name] as Guarantee;
    expect(settleLost(lost, context({ guarantee, spent: 4 }))).toMatchObject({
      kind: 'unknown',
      data: { code: 'timeout', exhausted: true },
    });
  });

  it.each(['keyed by job', 'keyed by call'])('%s: is unknown past the life of its key', (name) => {
    const guarantee = GUARANTEES[name] as Guarantee;
    expect(settleLost(lost, context({ guarantee, firstLeaseAgeMs: 59_999 })).kind).not.toBe('unknown');
    expect(settleLost(lost, context({ guarantee, firstLeaseAgeMs: 60_000 }))).toMatchObject({
      kind: 'unknown',
      data: { code: 'key_expired' },
    });
  });

  it('keyed by call: is repeated although this repeat never left: the call before it is undecided', () => {
    const guarantee = GUARANTEES['keyed by call'] as Guarantee;
    const unsent = { ...lost, notSent: true };
    expect(settleLost(unsent, context({ guarantee, fences: 2 })).kind).toBe('open');
    expect(settleLost(unsent, context({ guarantee, fences: 1 })).kind).toBe('retried');
  });

  it('keyed by call: is repeated at growing distances, at most maxAttempts times', () => {
    const guarantee = GUARANTEES['keyed by call'] as Guarantee;
    const waits = [1, 2, 3, 4].map((fences) => settleLost(lost, context({ guarantee, fences })));
    expect(waits).toMatchObject([1_000, 2_000, 4_000, 8_000].map((checkAfterMs) => ({ checkAfterMs })));
    expect(settleLost(lost, context({ guarantee, fences: 5 })).kind).toBe('unknown');
    const capped = context({ guarantee, fences: 4, policy: { ...DEFAULT_RETRY, capMs: 3_000 } });
    expect(settleLost(lost, capped)).toMatchObject({ checkAfterMs: 3_000 });
  });
});

describe('an open fence that a new lease finds', () => {
  it.each([
    ['at-least-once', 'call'],
    ['reconcilable', 'resolve'],
    ['keyed by job', 'repeat'],
    ['keyed by call', 'repeat'],
  ])('E3: %s leads to %s', (name, decision) => {
    expect(settleOpenFence(context({ guarantee: GUARANTEES[name] as Guarantee }))).toBe(decision);
  });

  it('E3: at-most-once leads to unknown, never to a call', () => {
    fc.assert(
      fc.property(settleContexts, (c) => {
        const decision = settleOpenFence({ ...c, guarantee: { kind: 'at-most-once' } });
        expect(decision).toMatchObject({ kind: 'unknown', data: { code: 'interrupted' } });
      }),
    );
  });

  it('E3: keyed leads to unknown past the life of its key', () => {
    const guarantee = GUARANTEES['keyed by call'] as Guarantee;
    expect(settleOpenFence(context({ guarantee, firstLeaseAgeMs: 60_000 }))).toMatchObject({
      kind: 'unknown',
    });
  });
});

describe('a job without a fence whose earlier call may have arrived', () => {
  it('is called again only while its provider remembers its key', () => {
    const keyed = { guarantee: GUARANTEES['keyed by job'] as Guarantee, possibleDuplicate: false };
    expect(settleDoubtful({ ...keyed, firstLeaseAgeMs: 59_999 })).toBeUndefined();
    expect(settleDoubtful({ ...keyed, firstLeaseAgeMs: 60_000 })).toMatchObject({
      kind: 'unknown',
      data: { code: 'key_expired' },
    });
  });

  it('is called again where the guarantee knows no keys of jobs', () => {
    for (const name of ['at-least-once', 'at-most-once', 'reconcilable', 'keyed by call']) {
      const guarantee = GUARANTEES[name] as Guarantee;
      expect(settleDoubtful({ guarantee, possibleDuplicate: true, firstLeaseAgeMs: 1e9 })).toBeUndefined();
    }
  });
});

describe('a job that is too old', () => {
  it('E4: fails, or is unknown if an earlier call is undecided', () => {
    expect(expired(false)).toMatchObject({ kind: 'failed', data: { code: 'expired' } });
    expect(expired(true)).toMatchObject({ kind: 'unknown', data: { code: 'expired' } });
  });
});
