import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { knownVariables, readSettings } from '../src/settings.ts';
import { messageOf } from './helpers/refused-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'batchsender-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (env: Record<string, string>): ReturnType<typeof readSettings> => readSettings(env, '/app');

test('without any variable the defaults hold', () => {
  expect(read({})).toEqual({
    port: 3000,
    host: '127.0.0.1',
    databaseUrl: undefined,
    dataDir: '/app/.batchsender',
    publicUrl: undefined,
    apiKey: undefined,
    secretKeys: undefined,
    logLevel: 'info',
    allowNetworks: [],
    retry: {},
    maxLineBytes: 1_048_576,
    role: 'all',
    types: undefined,
    runner: { memoryMb: undefined, silentMs: 5_000 },
    isMetricsPublic: false,
  });
});

test('all variables are read', () => {
  const settings = read({
    PORT: '8080',
    HOST: '0.0.0.0',
    DATABASE_URL: 'postgresql://u:p@h/d',
    BATCHSENDER_DATA: '/var/data',
    BATCHSENDER_PUBLIC_URL: 'https://a.example/base/',
    BATCHSENDER_API_KEY: 'bs_key',
    LOG_LEVEL: 'debug',
    BATCHSENDER_ALLOW_NETWORKS: ' 10.1.0.0/16, ::1 ,127.0.0.1',
    BATCHSENDER_RETRY_MAX_ATTEMPTS: '7',
    BATCHSENDER_RETRY_BASE_MS: '250',
    BATCHSENDER_ROLE: 'runner',
    BATCHSENDER_TYPES: 'sms, crm,sms',
    BATCHSENDER_RUNNER_MEMORY_MB: '512',
    BATCHSENDER_RUNNER_SILENT_MS: '3000',
  });
  expect(settings).toMatchObject({
    port: 8080,
    host: '0.0.0.0',
    databaseUrl: 'postgresql://u:p@h/d',
    dataDir: '/var/data',
    publicUrl: 'https://a.example/base',
    apiKey: 'bs_key',
    logLevel: 'debug',
    role: 'runner',
    types: ['sms', 'crm'],
    runner: { memoryMb: 512, silentMs: 3_000 },
    allowNetworks: ['10.1.0.0/16', '::1/128', '127.0.0.1/32'],
    retry: { maxAttempts: 7, baseMs: 250 },
  });
});

test('an empty value counts as none', () => {
  expect(read({ PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 3000, databaseUrl: undefined });
});

test.each([
  [
    'PORT',
    'abc',
    'PORT: "abc" is not valid: it must be a port from 0 to 65535 (0 takes a free one). For example PORT=3000',
  ],
  ['PORT', '70000', /^PORT: "70000" is not valid/],
  ['PORT', '3000.5', /^PORT: /],
  ['HOST', 'a b', /^HOST: /],
  ['LOG_LEVEL', 'loud', /LOG_LEVEL: "loud" is not valid: it must be one of fatal, error/],
  ['BATCHSENDER_PUBLIC_URL', 'ftp://x', /^BATCHSENDER_PUBLIC_URL: /],
  ['BATCHSENDER_ALLOW_NETWORKS', '10.0.0.0/8,banana', /^BATCHSENDER_ALLOW_NETWORKS: "banana" is not valid/],
  ['BATCHSENDER_ALLOW_NETWORKS', '10.0.0.0/33', /^BATCHSENDER_ALLOW_NETWORKS: /],
  ['BATCHSENDER_RETRY_MAX_ATTEMPTS', '0', /^BATCHSENDER_RETRY_MAX_ATTEMPTS: /],
])('%s=%s is refused by name and with the remedy', (name, value, message) => {
  if (typeof message === 'string') expect(messageOf({ [name]: value })).toBe(message);
  else expect(messageOf({ [name]: value })).toMatch(message);
});

test('all wrong variables are named at once', () => {
  expect(messageOf({ PORT: 'x', LOG_LEVEL: 'y' }).split('\n')).toHaveLength(2);
});

test('the keys of stored credentials are read, and refused without being shown', () => {
  const key = Buffer.alloc(32, 'k').toString('base64');
  expect(read({ BATCHSENDER_SECRET_KEY: `new:${key},${key}` }).secretKeys).toMatchObject({
    current: { id: 'new' },
    previous: [{ id: expect.stringMatching(/^[0-9a-f]{8}$/) }],
  });
  const message = messageOf({ BATCHSENDER_SECRET_KEY: 'mine:hunter2' });
  expect(message).toMatch(/^BATCHSENDER_SECRET_KEY: The secret key "mine" must have 32 bytes/);
  expect(message).not.toContain('hunter2');
});

test('a secret is never shown', () => {
  const message = messageOf({ DATABASE_URL: 'mysql://user:hunter2@host/db' });
  expect(message).toMatch(/^DATABASE_URL: the value is not valid/);
  expect(message).not.toContain('hunter2');
});

test.each(['api', 'runner'])('the role %s needs a database that others can reach', (role) => {
  expect(messageOf({ BATCHSENDER_ROLE: role })).toMatch(/^The role "\w+" needs DATABASE_URL/);
  expect(read({ BATCHSENDER_ROLE: role, DATABASE_URL: 'postgres://u:p@h/d' }).role).toBe(role);
});

test('a role that is not known, types that are none, and types without a runner are refused', () => {
  expect(messageOf({ BATCHSENDER_ROLE: 'worker' })).toMatch(/^BATCHSENDER_ROLE: "worker" is not valid/);
  expect(messageOf({ BATCHSENDER_TYPES: 'sms,,crm' })).toMatch(/^BATCHSENDER_TYPES: "sms,,crm" is not valid/);
  const api = { BATCHSENDER_ROLE: 'api', DATABASE_URL: 'postgres://u:p@h/d', BATCHSENDER_TYPES: 'sms' };
  expect(messageOf(api)).toMatch(/^The role "api" runs no jobs/);
});

test('a _FILE variable reads a file, without its last line end', () => {
  const file = join(folder, 'url');
  writeFileSync(file, 'postgres://u:p@h/d\n');
  expect(read({ DATABASE_URL_FILE: file }).databaseUrl).toBe('postgres://u:p@h/d');
});

test('a _FILE variable whose file is missing is named with the path', () => {
  expect(messageOf({ DATABASE_URL_FILE: '/nowhere' })).toBe(
    'DATABASE_URL_FILE: the file /nowhere cannot be read (ENOENT). Check its path and its rights.',
  );
});

test('a variable and its _FILE together are refused', () => {
  expect(messageOf({ PORT: '1', PORT_FILE: '/x' })).toBe(
    'PORT and PORT_FILE are both set. Keep one of them.',
  );
});

test('the table in the README names every variable', async () => {
  const { readFileSync } = await import('node:fs');
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const documented = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]);
  expect(documented.sort()).toEqual([...knownVariables()].filter((name) => !name.endsWith('_FILE')).sort());
});
