import { expect, test } from 'vitest';
import { isDatabaseDown, isDatabaseUnwritable } from '../../src/http/database-down.ts';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', '57P01', '57P03', '08006', '53300'])(
  '%s means down',
  (code) => {
    expect(isDatabaseDown(coded(code))).toBe(true);
  },
);

test.each(['23505', '22P02', '42P01', 'ERR_INVALID_ARG_TYPE'])('%s does not', (code) => {
  expect(isDatabaseDown(coded(code))).toBe(false);
});

test("pg's errors without a code are known by their message", () => {
  expect(isDatabaseDown(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isDatabaseDown(new Error('timeout exceeded when trying to connect'))).toBe(true);
});

test.each(['25006', '53100', '53200', '58030'])('%s means that nothing can be written', (code) => {
  expect(isDatabaseUnwritable(new Error('x', { cause: coded(code) }))).toBe(true);
  expect(isDatabaseDown(coded(code))).toBe(false);
  expect(isDatabaseUnwritable(coded('23505'))).toBe(false);
});

test('causes and aggregates are looked into', () => {
  expect(isDatabaseDown(new Error('x', { cause: new Error('y', { cause: coded('EPIPE') }) }))).toBe(true);
  expect(isDatabaseDown(new AggregateError([new Error('a'), coded('ECONNREFUSED')], 'both failed'))).toBe(
    true,
  );
});

test('an error that is its own cause ends', () => {
  const error = new Error('loop');
  error.cause = error;
  expect(isDatabaseDown(error)).toBe(false);
});
