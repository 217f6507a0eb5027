import fc from 'fast-check';
import type { FullRetryPolicy } from '../../src/engine/decisions/backoff.ts';
import type { SettleContext } from '../../src/engine/decisions/settle.ts';
import type { Tallies } from '../../src/engine/store.ts';
import type { Guarantee, JobResult } from '../../src/plugin/index.ts';

/** What random tests draw: policies, guarantees, results, tallies. */
export const policies: fc.Arbitrary<FullRetryPolicy> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 100 }),
  baseMs: fc.integer({ min: 0, max: 86_400_000 }),
  capMs: fc.integer({ min: 0, max: 86_400_000 }),
  maxAgeMs: fc.integer({ min: 1_000, max: 31_536_000_000 }),
});

const guarantees: fc.Arbitrary<Guarantee> = fc.oneof(
  fc.constant<Guarantee>({ kind: 'at-most-once' }),
  fc.constant<Guarantee>({ kind: 'at-least-once' }),
  fc.record({ kind: fc.constant('reconcilable'), settleMs: fc.integer({ min: 0, max: 600_000 }) }),
  fc.record({
    kind: fc.constant('keyed'),
    scope: fc.constantFrom('job', 'call'),
    ttlMs: fc.integer({ min: 1, max: 86_400_000 }),
  }),
);

const code = fc.constantFrom('http_500', 'timeout', 'refused');
const waits = fc.integer({ min: 0, max: 100_000_000 });

export const results: fc.Arbitrary<JobResult> = fc.oneof(
  fc.record({ status: fc.constant('succeeded'), ref: fc.string() }, { requiredKeys: ['status'] }),
  fc.record({ status: fc.constant('pending'), ref: fc.string(), checkAfterMs: waits }),
  fc.record(
    {
      status: fc.constant('retry'),
      code,
      message: fc.string(),
      afterMs: fc.oneof(waits, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1)),
      possibleDuplicate: fc.boolean(),
    },
    { requiredKeys: ['status', 'code'] },
  ),
  fc.record({ status: fc.constant('throttled'), afterMs: waits }),
  fc.record({ status: fc.constant('blocked'), code }),
  fc.record({ status: fc.constant('failed'), code }),
  fc.record({ status: fc.constant('unknown'), code }),
) as fc.Arbitrary<JobResult>;

export const settleContexts: fc.Arbitrary<SettleContext> = fc.record({
  guarantee: guarantees,
  policy: policies,
  spent: fc.integer({ min: 0, max: 100 }),
  ageMs: fc.integer({ min: 0, max: 31_536_000_000 }),
  firstLeaseAgeMs: fc.integer({ min: 0, max: 172_800_000 }),
  possibleDuplicate: fc.boolean(),
  fences: fc.integer({ min: 0, max: 10 }),
});

const count = fc.integer({ min: 0, max: 1_000 });

export const tallies: fc.Arbitrary<Tallies> = fc.record({
  succeeded: count,
  failed: count,
  unknown: count,
  cancelled: count,
  retried: count,
  postponed: count,
});
