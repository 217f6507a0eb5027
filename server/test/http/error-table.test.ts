import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_TABLE } from '../../src/http/error-table.ts';

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
