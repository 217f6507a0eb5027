import { Writable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLIENT, type OAuthServer, oauthServer } from '../../core/test/helpers/oauth-server.ts';
import { testDatabase } from '../../core/test/helpers/postgres.ts';
import { testKey, type Vendor, vendor } from '../../core/test/helpers/vendor-plugin.ts';
import { createLogger } from '../src/logging.ts';
import { type Answer, eventually, startApp, type TestApp } from './helpers/app.ts';

const CANARY = 'canary-7f3a "with quotes" 91c2';

let oauth: OAuthServer;
let parcel: Vendor;
let server: TestApp;
let dump: () => Promise<string>;
const lines: string[] = [];
const answers: Answer[] = [];

beforeAll(async () => {
  oauth = await oauthServer();
  parcel = vendor({
    accepts: oauth.live,
    oauth: { authorizationUrl: `${oauth.url}/authorize`, tokenUrl: `${oauth.url}/token`, scopes: [] },
  });
  const database = await testDatabase();
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  server = await startApp({
    database: database.url,
    plugins: [parcel.plugin],
    secretKeys: { current: testKey('a') },
    allowNetworks: ['127.0.0.0/8'],
    publicUrl: 'https://batchsender.example',
    logger: createLogger('trace', sink),
    retry: { maxAttempts: 2, baseMs: 1 },
  });
  dump = () => dumpOf(database.url);
});
afterAll(async () => {
  await server.stop();
  await oauth.close();
});

/** Every row of every table, as text. */
async function dumpOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'batchsender'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ text: string }>(`SELECT t::text AS text FROM ${name} AS t`);
    texts.push(...rows.map(({ text }) => text));
  }
  await client.end();
  return texts.join('\n');
}

async function call(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
  const answer = await server.api(path, body, headers);
  answers.push(answer);
  return answer;
}

async function run(jobs: readonly object[], connection: string): Promise<string> {
  const { id } = (await call('/v1/batches', { type: 'parcel', connection, jobs })).body;
  await eventually(async () => {
    const { body } = await call(`/v1/batches/${id}`);
    return body.state === 'completed' || body.blocked !== null;
  });
  await call(`/v1/batches/${id}/jobs`);
  for (const seq of jobs.keys()) await call(`/v1/jobs/${id}.${seq}`);
  await call(`/v1/batches/${id}/results`, undefined, { accept: 'application/x-ndjson' });
  return id;
}

test('secrets of connections are in no log line, no row of the database, and no answer', async () => {
  const secrets = new Set([CANARY, CLIENT.clientSecret]);
  oauth.live.add(CANARY);
  const { body: made } = await call(
    '/v1/connections',
    { type: 'parcel', provider: 'vendor', name: 'main', credentials: { host: 'h', password: CANARY } },
    { 'idempotency-key': 'canary' },
  );
  // What the plugin says holds the password: of a failure, a refusal, and a throw.
  await run([{ n: 1 }, { n: 2, say: 'failed' }, { n: 3, say: 'throw' }, { n: 4, say: 'oops' }], 'main');
  await call(`/v1/batches/${await run([{ n: 5, say: 'refused' }], 'main')}/cancel`, null);
  await call(`/v1/connections/${made.id}/unblock`, null);
  await run(Array(20).fill({ n: 6, say: 'oops' }), 'main');
  expect((await call(`/v1/connections/${made.id}`)).body).toMatchObject({
    code: 'provider_error',
    message: 'Error: oops with [redacted]',
  });
  parcel.health = (password) => Promise.reject(new Error(`no way in with ${password}`));
  await call(`/v1/connections/${made.id}/test`, null);
  answers.push(
    await server.send('PATCH', `/v1/connections/${made.id}`, {
      credentials: { password: CANARY, x: CANARY },
    }),
  );
  await call('/v1/connections', {
    type: 'parcel',
    provider: 'vendor',
    name: CANARY,
    credentials: { password: CANARY },
  });

  const cloud = (
    await call('/v1/connections', { type: 'parcel', provider: 'cloud', name: 'cloud', credentials: CLIENT })
  ).body;
  const { url } = (await call(`/v1/connections/${cloud.id}/authorize`, {})).body;
  const { pathname, search, searchParams } = await oauth.visit(url);
  await fetch(`${server.url}${pathname}${search}`);
  for (const token of oauth.live) secrets.add(token);
  secrets.add(searchParams.get('code') ?? '');
  await run([{ n: 7 }], 'cloud');
  await call('/v1/connections');

  // The vendor was sent them, so there was something to leak.
  const by = new Set(parcel.calls.map((one) => one.by));
  expect(by.has(CANARY)).toBe(true);
  expect([...oauth.live].some((token) => by.has(token))).toBe(true);
  const places = {
    log: lines.join('') + server.log(),
    database: await dump(),
    answers: JSON.stringify(answers),
  };
  expect(places.log).toContain('Plugin plugin-parcel threw');
  expect(places.database).toContain('[redacted] knows no such street');
  expect(places.answers).toContain('The password [redacted] is wrong');
  for (const secret of secrets) {
    for (const [place, text] of Object.entries(places)) {
      for (const form of formsOf(secret))
        expect([place, secret, text.includes(form)]).toEqual([place, secret, false]);
    }
  }
});

/** As it is, and as it would stand in JSON, a URL or base64. */
function formsOf(secret: string): string[] {
  const inner = JSON.stringify(secret).slice(1, -1);
  const base64 = Buffer.from(secret).toString('base64').slice(0, -4);
  return [secret, inner, JSON.stringify(inner).slice(1, -1), encodeURIComponent(secret), base64];
}
