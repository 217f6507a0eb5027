import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COLUMN_CODES } from '../../src/csv/column-error.ts';
import { ERROR_TABLE } from '../../src/http/error-table.ts';
import { LINE_CODES } from '../../src/ndjson/line-error.ts';

const reference = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

const rows = [...reference.matchAll(/^\| `(\w+)` \| (\d{3}) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, code, status, title, remedy]) => ({
    code,
    status: Number(status),
    title: title?.trim(),
    remedy: remedy?.trim(),
  }),
);

test('the error reference and the code agree', () => {
  const documented = rows.map(({ code, status, title }) => ({ code, status, title }));
  const coded = Object.entries(ERROR_TABLE).map(([code, entry]) => ({ code, ...entry }));
  const byCode = (a: { code?: string | undefined }, b: { code?: string | undefined }): number =>
    String(a.code).localeCompare(String(b.code));
  expect(documented.sort(byCode)).toEqual(coded.sort(byCode));
});

test('every error has a remedy', () => {
  for (const { remedy } of rows) expect(remedy).toMatch(/\w+.*\.$/);
});

test('the codes of lines and columns are all explained', () => {
  const explained = [...reference.matchAll(/^\| `(\w+)` \| ((?:line|column)[^|]*) \| ([^|]+\.) \|$/gm)].map(
    ([, code, where]) => `${code} ${where?.trim()}`,
  );
  const columns = new Set<string>(COLUMN_CODES);
  const lines = new Set<string>(LINE_CODES);
  const coded = [...new Set([...LINE_CODES, ...COLUMN_CODES])].map((code) => {
    if (lines.has(code) && columns.has(code)) return `${code} line, column`;
    return `${code} ${lines.has(code) ? 'line' : 'column'}`;
  });
  expect(explained.sort()).toEqual(coded.sort());
});
