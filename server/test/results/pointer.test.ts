import { expect, test } from 'vitest';
import { pointerReader } from '../../src/results/pointer.ts';

const payload = JSON.parse(
  '{"to":"a","variables":{"a/b":1,"c~d":2,"__proto__":3},"list":[{"x":4}],"none":null}',
);

test.each([
  ['', payload],
  ['/to', 'a'],
  ['/variables/a~1b', 1],
  ['/variables/c~0d', 2],
  ['/variables/__proto__', 3],
  ['/list/0/x', 4],
  ['/none', null],
  ['/none/deeper', undefined],
  ['/to/length', undefined],
  ['/constructor', undefined],
  ['/variables/toString', undefined],
  ['/list/map', undefined],
])('%s reads %j', (pointer, value) => {
  expect(pointerReader(pointer)(payload)).toEqual(value);
});
