import { expect, it } from 'vitest';
import type { Result } from '../src/api.ts';
import { outcomesOf } from '../src/outcomes.ts';

const result = (change: Partial<Result>): Result => ({
  id: 'b.0',
  state: 'succeeded',
  code: null,
  message: null,
  attempts: 1,
  possibleDuplicate: false,
  payload: {},
  ...change,
});

it('counts jobs that ended alike, what went well first', () => {
  const rows = outcomesOf('webhook', [
    result({ state: 'failed', code: 'http_404' }),
    result({}),
    result({ attempts: 2 }),
    result({ attempts: 2, possibleDuplicate: true }),
    result({}),
  ]);
  expect(rows.map(({ state, code, jobs, meaning }) => [state, code, jobs, meaning])).toEqual([
    ['succeeded', '', 2, 'at the first attempt'],
    ['succeeded', '', 1, 'at a later attempt'],
    ['succeeded', '', 1, 'after a call without an answer: it may have arrived twice'],
    ['failed', 'http_404', 1, 'the shop has gone (404)'],
  ]);
});

it("lets the log's message speak for a code that the demo does not expect", () => {
  const rows = outcomesOf('email', [
    result({ state: 'failed', code: 'expired', message: 'It took too long' }),
  ]);
  expect(rows[0]).toMatchObject({ code: 'expired', jobs: 1, meaning: 'It took too long' });
});
