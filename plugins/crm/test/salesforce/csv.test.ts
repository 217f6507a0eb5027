import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv, toCsv } from '../../src/salesforce/csv.ts';

const columns = ['Id', 'Name', 'Account.Number__c'];
const cell = fc.oneof(
  fc.string(),
  fc.constantFrom('', ',', '"', '""', '\n', '\r\n', ' a ', 'a;b|c\td', '#N/A', 'ü€😀'),
);
const rows = fc.array(fc.record(Object.fromEntries(columns.map((column) => [column, cell]))), {
  minLength: 1,
});

describe('CSV', () => {
  it('that is written is read by another reader', () => {
    fc.assert(
      fc.property(rows, (records) => {
        expect(parse(toCsv(records), { columns: true })).toEqual(records);
      }),
    );
  });

  it('of another writer is read', () => {
    fc.assert(
      fc.property(rows, (records) => {
        expect(parseCsv(stringify(records, { header: true, quoted: true }))).toEqual(records);
        expect(parseCsv(stringify(records, { header: true, columns, bom: true }))).toEqual(records);
      }),
    );
  });

  it('ends without a line break, and may be empty', () => {
    expect(parseCsv('a,b\n1,')).toEqual([{ a: '1', b: '' }]);
    expect(parseCsv('a,b\r\n"x""y",2\r\n')).toEqual([{ a: 'x"y', b: '2' }]);
    expect(parseCsv('')).toEqual([]);
    expect(() => parseCsv('a\n"open')).toThrow('a quote is not closed');
  });
});
