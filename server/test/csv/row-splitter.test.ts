import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowSplitter } from '../../src/csv/row-splitter.ts';
import type { LineError } from '../../src/ndjson/line-error.ts';
import { cutText } from '../helpers/csv-text.ts';

/** Splits pieces of text; answers the rows with their lines, and what is wrong with others. */
function split(pieces: readonly string[], options: { delimiter?: string; maxRowChars?: number } = {}) {
  const rows: unknown[] = [];
  const splitter = new RowSplitter({
    delimiter: ',',
    maxRowChars: 1_000,
    line: 1,
    onRow: (cells, line) => rows.push([line, ...cells]),
    onBadRow: ({ line, code }) => rows.push([line, { code }]),
    ...options,
  });
  try {
    for (const piece of pieces) splitter.push(piece);
    splitter.end();
  } catch (error) {
    const { line, code } = error as LineError;
    rows.push([line, { code }]);
  }
  return rows;
}

test.each([
  [
    'plain cells',
    'a,b\nc,d',
    [
      [1, 'a', 'b'],
      [2, 'c', 'd'],
    ],
  ],
  [
    'an end after the last row',
    'a\nb\n',
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'all line ends, mixed',
    'a\r\nb\rc\nd',
    [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ],
  ],
  [
    'empty cells',
    ',\n"",x\n',
    [
      [1, '', ''],
      [2, '', 'x'],
    ],
  ],
  ['a delimiter last', 'a,', [[1, 'a', '']]],
  ['quoted delimiters and doubled quotes', '"a,""b""",c\n', [[1, 'a,"b"', 'c']]],
  [
    'line ends in quotes, kept',
    '"a\r\nb\nc\rd",e\nf',
    [
      [1, 'a\r\nb\nc\rd', 'e'],
      [5, 'f'],
    ],
  ],
  ['blanks, kept', ' a , b \n', [[1, ' a ', ' b ']]],
  [
    'a blank line as one cell',
    'a\n\nb',
    [
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ],
  ],
])('%s', (_name, text, rows) => {
  expect(split([text])).toEqual(rows);
  expect(split([...text])).toEqual(rows);
});

describe('quotes that do not fit', () => {
  test.each(['a, "b"', '"a"b,c', '"a" ,c', 'x,"a" b"'])(
    '%s is a bad row, and the next one is good',
    (row) => {
      const rows = [
        [1, { code: 'stray_quote' }],
        [2, 'x', 'y'],
      ];
      expect(split([`${row}\nx,y`])).toEqual(rows);
      expect(split([...`${row}\nx,y`])).toEqual(rows);
    },
  );

  test('one that is never closed is named by the line at which its row begins', () => {
    expect(split(['a\nb,"c\nd\ne'])).toEqual([
      [1, 'a'],
      [2, { code: 'quote_not_closed' }],
    ]);
  });
});

test('a row that is too long is refused before it ends, quoted or not', () => {
  for (const start of ['a\n', 'a\n"']) {
    const endless = [start, ...Array.from({ length: 50 }, () => 'x'.repeat(50))];
    expect(split(endless)).toEqual([
      [1, 'a'],
      [2, { code: 'line_too_long' }],
    ]);
  }
  expect(split([`${'x'.repeat(1_001)}\n`])).toEqual([[1, { code: 'line_too_long' }]]);
  expect(split([`${'x'.repeat(1_000)}\n`])).toHaveLength(1);
});

test('a million quotes in a plain cell cost no more than other text', () => {
  const quotes = '"'.repeat(1_000_000);
  expect(split([`a${quotes}\n`], { maxRowChars: 2_000_000 })).toEqual([[1, `a${quotes}`]]);
});

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ',', ';', '"', '\r', '\n', ' ', '\t'),
  maxLength: 6,
});

test('any text is split as csv-parse splits it, wherever the pieces end', () => {
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.nat(), { maxLength: 6 });
  fc.assert(
    fc.property(table, cuts, fc.constantFrom('\n', '\r\n', '\r'), (rows, places, lineEnd) => {
      const text = rows
        .map((cells) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(','))
        .join(lineEnd);
      const ours = split(cutText(text, places)).map((row) => (row as unknown[]).slice(1));
      const theirs = parse(text, { relax_column_count: true, record_delimiter: lineEnd });
      expect(ours).toEqual(theirs);
    }),
  );
});
