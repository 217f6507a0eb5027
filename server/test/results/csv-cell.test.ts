import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonCell, textCell } from '../../src/results/csv-cell.ts';

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\rlines', '"two\rlines"'],
  ['Größe 漢字 🎉', 'Größe 漢字 🎉'],
  [' spaces ', ' spaces '],
])('the text %j becomes the cell %j', (text, cell) => {
  expect(textCell(text)).toBe(cell);
});

test.each([
  '=1+1',
  '=cmd|A0',
  '+49 151 12345',
  '-1+2',
  '-',
  '@SUM(A1)',
  '\tx',
  '＝1+1',
  '＋1',
  '－1',
  '＠x',
  '+1e5',
])('%j gets a quote mark, so that no spreadsheet runs it', (text) => {
  expect(textCell(text)).toBe(`'${text}`);
});

test.each(['\r=1', '\n=1', '=a,b', '="x"'])('%j gets a quote mark inside its quotes', (text) => {
  expect(textCell(text)).toBe(`"'${text.replaceAll('"', '""')}"`);
});

test.each(['-5', '+4915112345', '0', '-3.14', '+1.0'])('the plain number %s stays as it is', (text) => {
  expect(textCell(text)).toBe(text);
});

test.each([
  [null, ''],
  [undefined, ''],
  [-5, '-5'],
  [1e21, '1e+21'],
  [true, 'true'],
  [{ a: 'b' }, '"{""a"":""b""}"'],
  [[1, 2], '"[1,2]"'],
  [{}, '"{}"'],
  [[], '"[]"'],
])('the value %j becomes the cell %s', (value, cell) => {
  expect(jsonCell(value)).toBe(cell);
});

test('no cell begins a formula, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('=', '+', '-', '@', '\t', '\r', '＝'),
      (rest, sign) => {
        const cell = textCell(sign + rest);
        expect(/^"?'/.test(cell) || /^[+-]\d+(\.\d+)?$/.test(cell)).toBe(true);
      },
    ),
  );
});

test('a cell of JSON reads back as the value that it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
      const value = { json };
      expect(jsonCell(value)).toBe(`"${JSON.stringify(value).replaceAll('"', '""')}"`);
    }),
  );
});
