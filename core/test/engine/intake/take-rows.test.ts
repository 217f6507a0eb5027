import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../src/engine/errors.ts';
import { MAX_PROBLEMS, Rejections } from '../../../src/engine/intake/rejections.ts';
import type { RowCheck } from '../../../src/engine/intake/row-check.ts';
import { takeRows, withoutDuplicates } from '../../../src/engine/intake/take-rows.ts';
import type { RejectedRow, UploadRow } from '../../../src/engine/upload.ts';

const wrong = { path: '/n', code: 'invalid_value', message: 'is negative' };
/** Negative numbers are wrong; others have themselves as key, zero has none. */
const check: RowCheck = ({ n }) =>
  Number(n) < 0 ? { problems: [wrong, wrong] } : { key: n === 0 ? null : String(n) };
const rows = (...numbers: number[]): UploadRow[] => numbers.map((n) => ({ payload: { n } }));

function refusal(given: readonly (UploadRow | RejectedRow)[], firstIndex = 0): InvalidInputError {
  try {
    takeRows(given, firstIndex, check);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
  throw new Error('the rows were taken');
}

describe('rows', () => {
  it('E13: that are right are taken with their keys, and the JSON that the caller has', () => {
    const given = [...rows(1, 0), { payload: { n: 2 }, text: '{ "n": 2 }' }];
    expect(takeRows(given, 0, check)).toEqual({
      texts: ['{"n":1}', '{"n":0}', '{ "n": 2 }'],
      keys: ['1', null, '2'],
    });
  });

  it('E13: of which some are wrong are refused with the index and the pointer of the first problem', () => {
    const error = refusal(rows(1, 2, -1), 4_709);
    expect(error.code).toBe('invalid_payload');
    expect(error.problems[0]).toEqual({ index: 4_711, ...wrong });
    expect(error.message).toBe("Job 4711 is invalid at '/n': is negative. Nothing was stored");
  });

  it('E13: are named by their line instead, where they have one', () => {
    const error = refusal([{ payload: { n: 1 } }, { payload: { n: -1 }, line: 9 }]);
    expect(error.problems[0]).toEqual({ line: 9, ...wrong });
    expect(error.message).toContain('Line 9');
  });

  it('E13: that the caller could not read are wrong too', () => {
    const problem = { path: '', code: 'malformed_json', message: 'is no JSON' };
    expect(refusal([...rows(1), { problem, line: 2 }]).problems).toEqual([{ line: 2, ...problem }]);
  });

  it('E13: list at most a hundred problems', () => {
    expect(refusal(rows(...Array<number>(1_000).fill(-1))).problems).toHaveLength(MAX_PROBLEMS);
    expect(MAX_PROBLEMS).toBe(100);
  });

  it('E13: that are wrong are left out where rejections are kept, all counted and the first ones told', () => {
    const rejections = new Rejections();
    const given = rows(...Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? n : -n)));
    expect(takeRows(given, 1_000, check, rejections).texts).toHaveLength(150);
    expect(rejections.rows).toBe(150);
    expect(rejections.errors).toHaveLength(100);
    expect(rejections.errors.map(({ index }) => index)).toEqual(
      Array.from({ length: 100 }, (_, n) => 1_001 + 2 * Math.floor(n / 2)),
    );
  });

  it('E13: cannot fill the answer with what they hold', () => {
    const rejections = new Rejections();
    const long = 'x'.repeat(1_000_000);
    rejections.add([{ path: `/${long}`, code: 'unknown_field', message: `unknown field: ${long}` }]);
    expect(JSON.stringify(rejections.errors).length).toBeLessThan(1_000);
    expect(rejections.errors[0]?.message).toMatch(/^unknown field: x+…$/);
  });
});

it('E13: of rows with the same key the first one is kept, and all without a key', () => {
  const taken = takeRows(rows(1, 0, 2, 1, 0, 2, 3), 0, check);
  expect(withoutDuplicates(taken).texts).toEqual(['{"n":1}', '{"n":0}', '{"n":2}', '{"n":0}', '{"n":3}']);
});
