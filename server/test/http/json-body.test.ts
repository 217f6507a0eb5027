import { expect, test } from 'vitest';
import { parseJsonBody } from '../../src/http/json-body.ts';

const problemOf = (body: string | Buffer): unknown => {
  try {
    return parseJsonBody(Buffer.from(body));
  } catch (error) {
    return { code: (error as { code: string }).code, message: (error as Error).message };
  }
};

test('an empty body is undefined', () => {
  expect(parseJsonBody(Buffer.alloc(0))).toBeUndefined();
});

test('a body with a byte order mark is parsed', () => {
  expect(problemOf('\ufeff{"a":1}')).toEqual({ a: 1 });
});

test('malformed JSON is named by line and column, without a piece of it', () => {
  const problem = problemOf('{\n "secret": 12x }');
  expect(problem).toEqual({
    code: 'malformed_json',
    message: 'The body is not valid JSON at line 2, column 14.',
  });
});

test('invalid UTF-8 is refused, not replaced', () => {
  expect(problemOf(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ code: 'malformed_json' });
});

test.each(['{"__proto__":{"x":1}}', '{"a":[{"constructor":{"prototype":1}}]}', '{"\\u005f_proto__":1}'])(
  '%s is refused',
  (body) => {
    expect(problemOf(body)).toMatchObject({ code: 'forbidden_key' });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  },
);

test('a key named constructor without prototype is allowed', () => {
  expect(problemOf('{"constructor":"Ferrari"}')).toEqual({ constructor: 'Ferrari' });
});
