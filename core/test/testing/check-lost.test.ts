import { describe, expect, it } from 'vitest';
import {
  blocked,
  failed,
  type Guarantee,
  pending,
  retry,
  succeeded,
  throttled,
  unknown,
} from '../../src/plugin/index.ts';
import { type CallEnd, lostProblem, notSentProblem } from '../../src/testing/check-lost.ts';

const result = (value: Extract<CallEnd, { kind: 'result' }>['result']): CallEnd => ({
  kind: 'result',
  result: value,
});
const error = (code: string | undefined, notSent = false): CallEnd => {
  const cause = Object.assign(new Error('cut'), code === undefined ? {} : { code });
  return { kind: 'error', error: cause, notSent, code: code ?? 'provider_error' };
};

const ENDS: Readonly<Record<string, CallEnd>> = {
  'an error with a code': error('connection_reset'),
  'an error without a code': error(undefined),
  'an error that says notSent': error('connection_refused', true),
  'retry, flagged': result(retry('timeout', { possibleDuplicate: true })),
  'retry, not flagged': result(retry('timeout')),
  unknown: result(unknown('timeout')),
  pending: result(pending('bulk_1', 100)),
  succeeded: result(succeeded()),
  failed: result(failed('timeout')),
  throttled: result(throttled(1_000)),
  blocked: result(blocked('timeout')),
  nothing: result(undefined),
};

const allowed = (rules: Parameters<typeof lostProblem>[1]): string[] =>
  Object.entries(ENDS)
    .filter(([, end]) => lostProblem(end, rules) === undefined)
    .map(([name]) => name);

const GUARANTEES: readonly Guarantee[] = [
  { kind: 'at-least-once' },
  { kind: 'keyed', scope: 'call', ttlMs: 1 },
  { kind: 'reconcilable', settleMs: 1 },
];

describe('the end of a call that may have arrived', () => {
  it.each(GUARANTEES)('leaves the decision to the guarantee $kind', (guarantee) => {
    expect(allowed({ guarantee, canResolve: false })).toEqual(['an error with a code', 'retry, flagged']);
  });

  it('may be unknown where nothing helps', () => {
    const rules = { guarantee: { kind: 'at-most-once' }, canResolve: false } as const;
    expect(allowed(rules)).toEqual(['an error with a code', 'retry, flagged', 'unknown']);
  });

  it('may be unknown where the vendor answered something that nobody can read', () => {
    const rules = { guarantee: { kind: 'at-least-once' }, canResolve: false, answered: true } as const;
    expect(allowed(rules)).toContain('unknown');
  });

  it('may be pending if the session can be asked', () => {
    expect(allowed({ guarantee: { kind: 'reconcilable', settleMs: 1 }, canResolve: true })).toContain(
      'pending',
    );
  });

  it('needs no code if the engine ended the call', () => {
    const rules = { guarantee: { kind: 'at-least-once' }, canResolve: false, aborted: true } as const;
    expect(allowed(rules)).toContain('an error without a code');
  });
});

describe('the end of a call that cannot have arrived', () => {
  it('is an error that says notSent, or a plain retry', () => {
    const right = Object.entries(ENDS).filter(([, end]) => notSentProblem(end) === undefined);
    expect(right.map(([name]) => name)).toEqual(['an error that says notSent', 'retry, not flagged']);
  });
});
