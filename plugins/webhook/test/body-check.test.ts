import { describe, expect, it } from 'vitest';
import { bodyProblem, valueAt } from '../src/body-check.ts';
import type { WebhookPayload } from '../src/payload.ts';

const check = (text: string, successBody: NonNullable<WebhookPayload['successBody']>) =>
  bodyProblem({ body: Buffer.from(text), truncated: false }, successBody);

describe('bodyProblem', () => {
  it.each([
    ['all is well', { contains: 'well' }],
    ['{"ok":true}', { jsonPointer: '/ok' }],
    ['{"ok":0}', { jsonPointer: '/ok' }],
    ['{"ok":""}', { jsonPointer: '/ok' }],
    ['{"ok":false}', { jsonPointer: '/ok', equals: false }],
    ['{"ok":null}', { jsonPointer: '/ok', equals: null }],
    ['{"a":{"b":[1,{"c":2}]}}', { jsonPointer: '/a/b/1', equals: { c: 2 } }],
    ['{"b":1,"a":[2]}', { equals: { a: [2], b: 1 } }],
    ['"ok"', { equals: 'ok' }],
    ['{"ok":true,"x":1}', { contains: '"x"', jsonPointer: '/ok' }],
  ])('finds that %s holds %j', (text, successBody) => {
    expect(check(text, successBody)).toBeUndefined();
  });

  it.each([
    ['no', { contains: 'yes' }],
    ['', { contains: 'yes' }],
    ['<html>', { jsonPointer: '/ok' }],
    ['', { equals: '' }],
    ['{"ok":false}', { jsonPointer: '/ok' }],
    ['{"ok":null}', { jsonPointer: '/ok' }],
    ['{}', { jsonPointer: '/ok' }],
    ['{"ok":1}', { jsonPointer: '/ok', equals: '1' }],
    ['{"ok":true,"x":1}', { contains: '"y"', jsonPointer: '/ok' }],
    ['{"x":1}', { contains: '"x"', jsonPointer: '/ok' }],
    ['{}', { jsonPointer: '/constructor' }],
    ['{}', { jsonPointer: '/__proto__' }],
    ['[1]', { jsonPointer: '/length' }],
  ])('finds that %s does not hold %j', (text, successBody) => {
    expect(check(text, successBody)).toBeTypeOf('string');
  });

  it('never repeats the body', () => {
    expect(check('{"email":"ada@example.com"}', { jsonPointer: '/email', equals: 'x' })).not.toContain('ada');
  });
});

describe('valueAt', () => {
  // The examples of RFC 6901, section 5.
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, ' ': 7, 'm~n': 8 };
  it.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/foo/00', undefined],
    ['/foo/-', undefined],
    ['/foo/2', undefined],
    ['/foo/0/x', undefined],
  ])('reads %j', (pointer, expected) => {
    expect(valueAt(document, pointer)).toEqual(expected);
  });
});
