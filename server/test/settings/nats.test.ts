import { expect, test } from 'vitest';
import { readSettings } from '../../src/settings.ts';
import { messageOf } from '../helpers/refused-settings.ts';

const SEED = `SU${'A'.repeat(56)}`;
const read = (env: Record<string, string>) => readSettings(env, '/app').nats;

test('without NATS_URL there is no NATS', () => {
  expect(read({})).toBeUndefined();
});

test.each([
  ['nats://localhost', ['localhost:4222']],
  ['localhost:80', ['localhost:80']],
  ['nats://127.0.0.1:80', ['127.0.0.1:80']],
  ['nats://[::1]:4333', ['[::1]:4333']],
  ['tls://a.example.com, tls://b.example.com:4333', ['a.example.com:4222', 'b.example.com:4333']],
])('%s names its servers', (url, servers) => {
  expect(read({ NATS_URL: url })?.servers).toEqual(servers);
});

test.each([
  ['nats://joe:p%40ss@localhost', { kind: 'password', user: 'joe', password: 'p@ss' }],
  ['nats://t0ken@localhost', { kind: 'token', token: 't0ken' }],
  ['nats://localhost', { kind: 'none' }],
  ['tls://joe:x@a.example.com,tls://b.example.com', { kind: 'password', user: 'joe', password: 'x' }],
])('%s carries who we are', (url, auth) => {
  expect(read({ NATS_URL: url })?.auth).toEqual(auth);
});

test.each(['nats://10.0.0.1', 'nats.example.com', 'nats://localhost,nats://nats.example.com:4222'])(
  '%s is refused, since it would be plaintext to another machine',
  (url) => {
    const message = messageOf({ NATS_URL: url });
    expect(message).toMatch(/would be reached without encryption\. Use tls:\/\//);
    expect(message).not.toContain('localhost');
    const allowed = read({ NATS_URL: url, BATCHSENDER_NATS_ALLOW_PLAINTEXT: 'true' });
    expect(allowed).toMatchObject({ tls: undefined, followsCluster: true });
  },
);

test('servers that a cluster names are not used where they would be plaintext', () => {
  expect(read({ NATS_URL: 'nats://localhost' })?.followsCluster).toBe(false);
  expect(read({ NATS_URL: 'tls://a.example.com' })).toMatchObject({ followsCluster: true, tls: {} });
});

test.each([
  ['http://localhost', /each address must be nats:\/\/host:port or tls:\/\/host:port/],
  ['nats://local host', /each address must be/],
  ['nats://localhost/path', /each address must be/],
  ['nats://localhost,', /each address must be/],
  ['nats://jo%e:s3cret@localhost', /has a % that encodes nothing/],
  ['nats://a:s3cret@localhost,nats://b:s3cret@localhost', /different users or tokens/],
])('%s is refused', (url, message) => {
  expect(messageOf({ NATS_URL: url })).toMatch(message);
  expect(messageOf({ NATS_URL: url })).not.toContain('s3cret');
});

test.each([
  [{ BATCHSENDER_NATS_USER: 'joe' }, /belong together/],
  [{ BATCHSENDER_NATS_PASSWORD: 's3cret' }, /belong together/],
  [{ BATCHSENDER_NATS_TLS_CERT: '-----BEGIN CERTIFICATE-----' }, /belong together/],
  [{ BATCHSENDER_NATS_TOKEN: 's3cret', BATCHSENDER_NATS_NKEY_SEED: SEED }, /More than one is set/],
  [{ NATS_URL: 'nats://s3cret@localhost', BATCHSENDER_NATS_TOKEN: 'other' }, /More than one is set/],
  [{ BATCHSENDER_NATS_NKEY_SEED: 's3cret' }, /the value is not valid: it must be the seed of a user nkey/],
  [
    { BATCHSENDER_NATS_TLS_CA: 's3cret' },
    /the value is not valid: it must be the certificate of the authority/,
  ],
  [{ BATCHSENDER_NATS_STREAM: 'two words' }, /"two words" is not valid/],
  [{ BATCHSENDER_NATS_REPLICAS: '6' }, /from 1 to 5/],
])('%j is refused with the remedy', (env, message) => {
  const given = { NATS_URL: 'nats://localhost', ...env } as Record<string, string>;
  expect(messageOf(given)).toMatch(message);
  expect(messageOf(given)).not.toContain('s3cret');
});
