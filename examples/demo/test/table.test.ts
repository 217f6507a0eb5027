import { styleText } from 'node:util';
import { expect, it } from 'vitest';
import { cut, table } from '../src/table.ts';

it('aligns columns, numbers to the right, and ends no line with blanks', () => {
  const rows = [
    ['state', 'jobs', 'why'],
    ['succeeded', '1,820', ''],
    ['failed', '60', 'gone'],
  ];
  expect(table(rows, { right: [1] })).toEqual([
    'state       jobs  why',
    'succeeded  1,820',
    'failed        60  gone',
  ]);
});

it('counts neither colours nor halves of a character', () => {
  const red = styleText('red', 'ab', { validateStream: false });
  expect(
    table([
      [red, 'x'],
      ['🎉b', 'y'],
      ['abc', 'z'],
    ]),
  ).toEqual([`${red}   x`, '🎉b   y', 'abc  z']);
});

it('cuts a line that is too long, and says so', () => {
  expect(cut('Köln🎉 and more', 6)).toBe('Köln🎉…');
  expect(cut('Köln', 4)).toBe('Köln');
});
