import { describe, expect, it } from 'vitest';
import { type ClassifyHttpOptions, classifyHttp, type JobResult } from '../../src/plugin/index.ts';

const NOW = Date.UTC(2026, 10, 22);

const classify = (status: number, headers: Record<string, string> = {}, options: ClassifyHttpOptions = {}) =>
  classifyHttp({ status, headers }, { nowMs: NOW, ...options });

/** What each status means without `Retry-After`. */
const TABLE: Readonly<Record<JobResult['status'], readonly number[]>> = {
  succeeded: [200, 201, 202, 204, 206, 299],
  failed: [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414,
    415, 416, 417, 418, 422, 424, 426, 428, 431, 451, 499, 501, 505, 508,
  ],
  retry: [100, 103, 408, 421, 423, 425, 429, 500, 502, 503, 504, 506, 507, 511, 520, 599, 600, 999],
  throttled: [],
  blocked: [],
  pending: [],
  unknown: [],
};

describe('classifyHttp', () => {
  const rows = Object.entries(TABLE).flatMap(([expected, statuses]) =>
    statuses.map((status) => ({ status, expected })),
  );
  it.each(rows)('takes $status for $expected', ({ status, expected }) => {
    const result = classify(status);
    expect(result.status).toBe(expected);
    if (result.status !== 'succeeded') expect(result).toMatchObject({ code: `http_${status}` });
  });

  it('throttles the endpoint for Retry-After on 429 and 503', () => {
    const expected = { status: 'throttled', afterMs: 30_000, scope: 'endpoint' };
    expect(classify(429, { 'retry-after': '30' })).toEqual({ ...expected, code: 'http_429' });
    expect(classify(503, { 'retry-after': new Date(NOW + 30_000).toUTCString() })).toEqual({
      ...expected,
      code: 'http_503',
    });
  });

  it('waits at least a second when throttled, so that Retry-After: 0 makes no hot loop', () => {
    expect(classify(429, { 'retry-after': '0' })).toMatchObject({ status: 'throttled', afterMs: 1_000 });
  });

  it('slows down what the provider names', () => {
    expect(classify(429, { 'retry-after': '5' }, { throttles: 'connection' })).toMatchObject({
      scope: 'connection',
    });
  });

  it('takes Retry-After on other retried statuses as the least wait', () => {
    expect(classify(500, { 'retry-after': '9' })).toMatchObject({ status: 'retry', afterMs: 9_000 });
    expect(classify(413, { 'retry-after': '9' })).toMatchObject({ status: 'retry', afterMs: 9_000 });
  });

  it('ignores a Retry-After that is garbage', () => {
    expect(classify(429, { 'retry-after': 'later' })).toEqual({
      status: 'retry',
      code: 'http_429',
      message: 'The receiver answered 429',
    });
  });

  it('blocks the connection for the statuses that the provider names', () => {
    expect(classify(401, {}, { blocked: [401, 403] })).toMatchObject({ status: 'blocked', code: 'http_401' });
    expect(classify(404, {}, { blocked: [401, 403] }).status).toBe('failed');
  });

  it('takes only the listed statuses for success', () => {
    const options = { success: [200, 404] };
    expect(classify(404, {}, options).status).toBe('succeeded');
    expect(classify(202, {}, options)).toMatchObject({
      status: 'failed',
      code: 'http_202',
      message: 'The receiver answered 202, which is not among 200, 404',
    });
    expect(classify(500, {}, options).status).toBe('retry');
  });

  it('reads the headers of fetch and of undici', () => {
    const response = { status: 429, headers: new Headers({ 'Retry-After': '3' }) };
    expect(classifyHttp(response)).toMatchObject({ afterMs: 3_000 });
    expect(classifyHttp({ status: 429, headers: { 'retry-after': ['4', '5'] } })).toMatchObject({
      afterMs: 4_000,
    });
  });

  it('adds a short snippet to the message', () => {
    const result = classifyHttp({
      status: 400,
      headers: {},
      bodySnippet: ` bad\n number ${'x'.repeat(500)}`,
    });
    expect(result).toMatchObject({
      message: expect.stringMatching(/^The receiver answered 400: bad number x{189}$/),
    });
  });
});
