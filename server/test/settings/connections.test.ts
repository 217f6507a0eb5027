import { expect, test } from 'vitest';
import { readConnections, upperSnake } from '../../src/settings/connections.ts';
import { knownVariables } from '../../src/settings.ts';
import { bellPlugin, pagerPlugin } from '../helpers/test-plugin.ts';

const modules = [...pagerPlugin({ hasSandbox: true }).modules, ...bellPlugin().modules];

const read = (env: Record<string, string>): ReturnType<typeof readConnections> =>
  readConnections(env, modules, knownVariables());

const ACME = { BATCHSENDER_PAGER_ACME_ACCOUNT_SID: 'AC1', BATCHSENDER_PAGER_ACME_AUTH_TOKEN: 'hunter2' };

test.each([
  ['host', 'HOST'],
  ['signingSecret', 'SIGNING_SECRET'],
  ['baseURL', 'BASE_URL'],
  ['oauth2Token', 'OAUTH2_TOKEN'],
  ['URLPrefix', 'URL_PREFIX'],
])('the field %s is the variable …_%s', (field, variable) => {
  expect(upperSnake(field)).toBe(variable);
});

test('fields are typed by the schema', () => {
  const { credentials, warnings } = read({
    ...ACME,
    BATCHSENDER_PAGER_ACME_PORT: '587',
    BATCHSENDER_PAGER_ACME_USE_TLS: 'true',
    BATCHSENDER_PAGER_ACME_POOLS: 'a, b',
  });
  expect(credentials('pager', 'acme')).toEqual({
    accountSid: 'AC1',
    authToken: 'hunter2',
    port: 587,
    useTls: true,
    pools: ['a', 'b'],
  });
  expect(warnings).toEqual([]);
});

test('a number stays text where the schema wants text', () => {
  const env = { ...ACME, BATCHSENDER_PAGER_ACME_ACCOUNT_SID: '12345' };
  expect(read(env).credentials('pager', 'acme')).toMatchObject({ accountSid: '12345' });
});

test('a provider without variables has no credentials, unless it needs none', () => {
  const { credentials } = read({});
  expect(credentials('pager', 'acme')).toBeUndefined();
  expect(credentials('pager', 'sandbox')).toEqual({});
  expect(credentials('bell', 'tower')).toEqual({});
});

test('a provider that is set up in part is refused, naming what is missing', () => {
  expect(() => read({ BATCHSENDER_PAGER_ACME_ACCOUNT_SID: 'AC1' })).toThrow(
    'BATCHSENDER_PAGER_ACME_AUTH_TOKEN is missing. Acme needs it, because BATCHSENDER_PAGER_ACME_ACCOUNT_SID is set.',
  );
});

test('a value that does not fit is refused by name, without the value', () => {
  expect(() => read({ ...ACME, BATCHSENDER_PAGER_ACME_PORT: 'hunter3' })).toThrow(
    /^BATCHSENDER_PAGER_ACME_PORT is not valid: it must be integer\.$/,
  );
});

test('a variable that names no field is warned of, with those that exist', () => {
  const { warnings } = read({ ...ACME, BATCHSENDER_PAGER_ACME_TOKEN: 'x', BATCHSENDER_PUBLIK_URL: 'x' });
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(
    /^BATCHSENDER_PAGER_ACME_TOKEN is set, but nothing reads it\. Known are .*_ACME_AUTH_TOKEN/,
  );
  expect(warnings[1]).toBe('BATCHSENDER_PUBLIK_URL is set, but nothing reads it.');
});

test('the settings of the server are no unknown variables', () => {
  expect(
    read({ BATCHSENDER_DATA: '/x', BATCHSENDER_API_KEY_FILE: '/y', BATCHSENDER_ROLE: 'all' }).warnings,
  ).toEqual([]);
});
