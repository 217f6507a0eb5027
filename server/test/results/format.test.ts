import type { ResultRow } from '@batchsender/core';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvFormat } from '../../src/results/csv-format.ts';
import { ndjsonFormat } from '../../src/results/ndjson-format.ts';

const at = new Date('2026-11-22T09:30:00.000Z');

const row = (fields: Partial<ResultRow> = {}): ResultRow => ({
  id: 'b.0',
  batchId: 'b',
  seq: 0,
  state: 'succeeded',
  attempts: 1,
  ref: 'r',
  code: null,
  message: null,
  possibleDuplicate: false,
  at,
  settledAt: at,
  delivery: null,
  payloadText: '{"to":"a","variables":{"city":"Köln"}}',
  ...fields,
});

const COLUMNS = [
  { name: 'E-Mail', path: '/to' },
  { name: 'city', path: '/variables/city' },
];

const OURS = [
  'id',
  'seq',
  'state',
  'code',
  'message',
  'ref',
  'delivery',
  'attempts',
  'possibleDuplicate',
  'at',
  'settledAt',
];

test('CSV has the columns of the user first, then ours, and ends its lines by CRLF', () => {
  const format = csvFormat(COLUMNS, { bom: false });
  expect(format.start).toBe(`E-Mail,city,${OURS.map((name) => `bs_${name}`).join(',')}\r\n`);
  expect(format.rows([row()])).toBe(
    'a,Köln,b.0,0,succeeded,,,r,,1,false,2026-11-22T09:30:00.000Z,2026-11-22T09:30:00.000Z\r\n',
  );
  expect(format.rows([row({ at: null, settledAt: null, ref: null, state: 'waiting' })])).toBe(
    'a,Köln,b.0,0,waiting,,,,,1,false,,\r\n',
  );
});

test('CSV begins with a byte order mark only if it is asked for', () => {
  expect(csvFormat(COLUMNS, { bom: true }).start).toMatch(/^\uFEFFE-Mail/);
  expect(csvFormat(COLUMNS, { bom: false }).start).toMatch(/^E-Mail/);
});

test('headers of the user are cells like others', () => {
  const columns = [
    { name: '=1+1', path: '/a' },
    { name: 'x,"y"', path: '/b' },
  ];
  expect(csvFormat(columns, { bom: false }).start).toMatch(/^'=1\+1,"x,""y""",bs_id,/);
});

test('a column of the user that has one of our names moves all of ours', () => {
  const columns = [
    { name: 'bs_state', path: '/a' },
    { name: 'bs__id', path: '/b' },
  ];
  const names = csvFormat(columns, { bom: false }).start.trimEnd().split(',');
  expect(names).toEqual(['bs_state', 'bs__id', ...OURS.map((name) => `bs___${name}`)]);
});

test("what a provider's message holds is neither run nor breaks the row", () => {
  const text = csvFormat([], { bom: false }).rows([row({ code: '@x', message: '=1\r\n,"', ref: '-2+3' })]);
  const [cells] = parse(text) as string[][];
  expect(cells?.slice(3, 6)).toEqual(["'@x", '\'=1\r\n,"', "'-2+3"]);
});

test('what csv-parse reads is what was written', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !/^[=+\-@\t\r\n＝＋－＠]/.test(value));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (values) => {
      const format = csvFormat(COLUMNS, { bom: false });
      const rows = values.map(([to, city]) =>
        row({ payloadText: JSON.stringify({ to, variables: { city } }) }),
      );
      const read = parse(format.start + format.rows(rows), { columns: true }) as Record<string, string>[];
      expect(read.map((record) => [record['E-Mail'], record['city']])).toEqual(values);
    }),
  );
});

test('NDJSON has the payload as it was stored, in one line', () => {
  const { start, rows } = ndjsonFormat();
  const payloadText = '{\r\n "to" : "a", "n": 12345678901234567890, "n": 1.0 }';
  const line = rows([row({ payloadText, message: 'a\n"b"' })]);
  expect(start).toBe('');
  expect(line).toContain('"payload":{  "to" : "a", "n": 12345678901234567890, "n": 1.0 }}\n');
  expect(line.match(/[\r\n]/g)).toEqual(['\n']);
  expect(JSON.parse(line)).toMatchObject({ id: 'b.0', message: 'a\n"b"', settledAt: at.toISOString() });
});
