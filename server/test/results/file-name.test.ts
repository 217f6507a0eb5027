import type { Batch } from '@batchsender/core';
import { expect, test } from 'vitest';
import { fileName } from '../../src/results/file-name.ts';

const batch = (name: string | null): Batch => ({ id: 'b1', type: 'mail', name }) as unknown as Batch;

test.each([
  ['November', 'results-November-b1.csv'],
  ['Größe & Mehr', 'results-Gro-e-Mehr-b1.csv'],
  [null, 'results-mail-b1.csv'],
  ['漢字', 'results-mail-b1.csv'],
  ['../../etc/passwd', 'results-etc-passwd-b1.csv'],
  ['a"; filename="evil.exe\r\nx: y', 'results-a-filename-evil-exe-x-y-b1.csv'],
])('the name %j makes the file %s', (name, file) => {
  expect(fileName(batch(name), [], 'csv')).toBe(file);
});

test('the states that were asked for are in it, once', () => {
  expect(fileName(batch('n'), ['failed', 'unknown', 'failed'], 'ndjson')).toBe(
    'results-n-failed-unknown-b1.ndjson',
  );
});

test('a long name is cut', () => {
  expect(fileName(batch('x'.repeat(200)), [], 'csv')).toHaveLength('results--b1.csv'.length + 60);
});
