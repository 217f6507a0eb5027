import { describe, expect, it } from 'vitest';
import { answerLimit, readResults, resultList } from '../src/bulk-answer.ts';
import type { Answer } from '../src/exchange.ts';

const answer = (body: string, truncated = false): Answer => ({
  kind: 'answer',
  status: 200,
  headers: {},
  body: Buffer.from(body),
  truncated,
});

const jobs = ['b.0', 'b.1', 'b.2'].map((id, seq) => ({
  id,
  batchId: 'b',
  seq,
  payload: { url: 'https://example.com', body: { seq } },
  attempt: 1,
  possibleDuplicate: false,
}));

const data = { httpStatus: 200 };
const read = (list: readonly unknown[]) => readResults(jobs, list, data);
const ok = (id: unknown) => ({ id, status: 'succeeded' });

describe('the list in an answer', () => {
  it('is what `results` holds', () => {
    expect(resultList(answer('{"results":[1],"more":true}'))).toEqual({ results: [1] });
    expect(resultList(answer(' {"results":[]} '))).toEqual({ results: [] });
  });

  it.each([
    ['', true],
    ['OK', true],
    ['<html></html>', true],
    ['"done"', true],
    ['null', true],
    ['[]', true],
    ['{"ok":true}', true],
    ['{"results":null}', false],
    ['{"results":{"0":{}}}', false],
    ['{"results":[{"id":"b.0","status":"fai', false],
    ['[1,', false],
  ])('is missing in %j; as the answer of somebody who knows no lists: %j', (body, plain) => {
    expect(resultList(answer(body))).toMatchObject({ code: 'no_result_list', plain });
  });

  it('is not looked for in an answer that was cut', () => {
    expect(resultList(answer('{"results":[]}', true))).toMatchObject({
      code: 'response_too_large',
      plain: false,
    });
  });

  it('may be longer for more jobs', () => {
    expect([answerLimit(1), answerLimit(100)]).toEqual([66_560, 167_936]);
  });
});

describe('the results in a list', () => {
  it('belong to jobs by their ids, in any order', () => {
    const { results, defects } = read([
      { id: 'b.2', status: 'retry', code: 'busy', message: 'Later', retryAfterMs: 2_000 },
      { id: 'b.0', status: 'succeeded', ref: 'r0', code: 'ignored' },
      { id: 'b.1', status: 'failed', code: 'NoStock', message: 'Nothing left' },
    ]);
    expect(results).toEqual([
      { jobId: 'b.0', status: 'succeeded', ref: 'r0', data },
      { jobId: 'b.1', status: 'failed', code: 'nostock', message: 'Nothing left', data },
      { jobId: 'b.2', status: 'retry', code: 'busy', message: 'Later', afterMs: 2_000, data },
    ]);
    expect(defects).toEqual({});
  });

  it('have codes even if the receiver gives none', () => {
    const { results } = read([{ id: 'b.0', status: 'failed' }, { id: 'b.1', status: 'retry' }, ok('b.2')]);
    expect(results).toMatchObject([{ code: 'receiver_failed' }, { code: 'receiver_retry' }, {}]);
  });

  it('are never guessed from their position, and a missing one is unknown', () => {
    const { results, defects } = read([{ status: 'succeeded' }, { status: 'succeeded' }, ok('b.2')]);
    expect(results).toMatchObject([
      { status: 'unknown', code: 'missing_result' },
      { status: 'unknown', code: 'missing_result' },
      { status: 'succeeded' },
    ]);
    expect(defects).toEqual({ foreign_result: 2, missing_result: 2 });
  });

  it('are passed over where they are about jobs of other calls', () => {
    const { results, defects } = read([...jobs.map(({ id }) => ok(id)), ok('b.3'), ok('c.0'), ok(0)]);
    expect(results.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(defects).toEqual({ foreign_result: 3 });
  });

  it('are unknown where there are two of a job, whatever they say', () => {
    const { results, defects } = read([ok('b.0'), { id: 'b.0', status: 'failed' }, ok('b.0'), ok('b.1')]);
    expect(results).toMatchObject([
      { status: 'unknown', code: 'duplicate_result' },
      { status: 'succeeded' },
      { status: 'unknown', code: 'missing_result' },
    ]);
    expect(defects).toEqual({ duplicate_result: 1, missing_result: 1 });
  });

  it.each([undefined, null, 'ok', 'Succeeded', 'pending', 'unknown', 'throttled', 200, ['succeeded']])(
    'are unknown with the status %j',
    (status) => {
      const { results } = read([{ id: 'b.0', status }, ok('b.1'), ok('b.2')]);
      expect(results[0]).toMatchObject({ status: 'unknown', code: 'invalid_result' });
      expect(results[1]).toMatchObject({ status: 'succeeded' });
    },
  );

  it('may be garbage without hurting the others', () => {
    const list = JSON.parse(
      '[null,1,"b.0",[],{},{"__proto__":{"id":"b.0","status":"failed"}},{"id":["b.0"]},{"id":"constructor"}]',
    ) as unknown[];
    const { results, defects } = read([...list, ...jobs.map(({ id }) => ok(id))]);
    expect(results.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(defects).toEqual({ foreign_result: list.length });
  });

  it.each([
    [-1, undefined],
    ['5', undefined],
    [null, undefined],
    [1e300, 86_400_000],
    [0, 0],
  ])('wait as long as retryAfterMs says, within reason: %j is %j', (retryAfterMs, afterMs) => {
    const { results } = read([{ id: 'b.0', status: 'retry', retryAfterMs }, ok('b.1'), ok('b.2')]);
    expect((results[0] as { afterMs?: number }).afterMs).toBe(afterMs);
  });
});
