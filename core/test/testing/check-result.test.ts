import { describe, expect, it } from 'vitest';
import { blocked, failed, pending, retry, succeeded, throttled, unknown } from '../../src/plugin/index.ts';
import { resultProblem } from '../../src/testing/check-result.ts';

describe('resultProblem', () => {
  it.each([
    succeeded(),
    succeeded('msg_1', { httpStatus: 200, parts: [1, null, { a: true }] }),
    pending('bulk_1', 500),
    retry('http_500', { afterMs: 0, possibleDuplicate: true, message: 'The receiver answered 500' }),
    throttled(1_000, { scope: 'rateKey' }),
    blocked('http_401'),
    failed('recipient_unknown'),
    unknown('timeout'),
    { ...succeeded(), jobId: 'b.1' },
  ])('takes $status', (result) => {
    expect(resultProblem(result)).toBeUndefined();
  });

  it.each([
    [undefined, 'is no JobResult'],
    [null, 'is no JobResult'],
    ['succeeded', 'is no JobResult'],
    [{ status: 'sent' }, 'is no JobResult'],
    [{ status: 'failed' }, 'is no JobResult'],
    [{ status: 'throttled' }, 'is no JobResult'],
    [failed('HTTP 500'), 'must be snake_case'],
    [failed('x'.repeat(101)), 'at most 100 characters'],
    [failed('_x'), 'must be snake_case'],
    [throttled(-1), 'afterMs must be milliseconds from 0'],
    [retry('slow', { afterMs: Number.NaN }), 'afterMs must be milliseconds from 0'],
    [throttled(1, { scope: 'account' as never }), 'scope must be'],
    [succeeded(''), 'ref must be'],
    [succeeded(7 as never), 'ref must be'],
    [succeeded('x'.repeat(257)), 'ref must be'],
    [failed('bad', { message: 1 as never }), 'message must be a string'],
    [succeeded('a', [] as never), 'data must be a plain JSON object'],
    [succeeded('a', { at: new Date() as never }), '/at is not a plain object'],
    [succeeded('a', { parts: [undefined as never] }), '/parts/0 is undefined'],
  ])('refuses %j', (result, problem) => {
    expect(resultProblem(result)).toContain(problem);
  });

  it('refuses what JSON cannot carry', () => {
    expect(resultProblem(succeeded('a', { big: 1n as never }))).toContain('/big is a bigint');
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(resultProblem(succeeded('a', loop as never))).toContain('/self refers back to itself');
  });
});
