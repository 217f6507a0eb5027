import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptSecretKeys } from '../../src/settings/secret-keys.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batchsender-keys-'));
  file = join(folder, 'secret-key');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a key is made once, for its owner alone, and found again', () => {
  const made = keptSecretKeys(folder);
  expect(made.current).toMatchObject({ id: 'made' });
  expect(Buffer.from(made.current.key, 'base64')).toHaveLength(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(keptSecretKeys(folder)).toEqual(made);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a file that holds no key is named, and kept as it is', () => {
  writeFileSync(file, 'made:hunter2\n');
  expect(() => keptSecretKeys(folder)).toThrow(
    new RegExp(`^${file}: The secret key "made" must have 32 bytes`),
  );
  expect(readFileSync(file, 'utf8')).toBe('made:hunter2\n');
});

test('a folder that is not there is told with the remedy', () => {
  expect(() => keptSecretKeys(join(folder, 'none'))).toThrow(
    /\(ENOENT\): set BATCHSENDER_SECRET_KEY instead/,
  );
});
