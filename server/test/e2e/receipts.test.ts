import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../core/test/helpers/postgres.ts';
import { client, eventually } from '../helpers/app.ts';
import { type AppFolder, appFolder } from '../helpers/app-folder.ts';
import { type Cli, runCli } from '../helpers/cli.ts';

const KEY = 'bs_receipts';
const PUBLIC_URL = 'https://send.example';

/** A provider that plays its vendor: it reports each job at once, and its callbacks carry a shared secret. */
const CONFIG = `
  // What callbackRefused makes: the app's folder has no packages.
  const refused = () => Object.assign(new Error('No'), { callbackStatus: 401, code: 'wrong_secret' });
  const payload = { type: 'object', additionalProperties: false, properties: { to: { type: 'string' } } };
  const local = {
    title: 'Local', guarantee: { kind: 'at-most-once' },
    credentials: { type: 'object', properties: { secret: { type: 'string' } } },
    open: (_credentials, { report, callbackUrl }) => ({
      process({ id }) {
        report({ events: [{ jobId: id, kind: 'delivered', eventId: 'delivered ' + id }] });
        return { status: 'succeeded', ref: callbackUrl(id) };
      },
    }),
    callbacks: {
      handle({ headers, body, url }, { credentials }) {
        if (headers['x-secret'] !== credentials.secret) throw refused();
        const { eventId } = JSON.parse(Buffer.from(body).toString());
        return { events: [{ jobId: url.searchParams.get('job'), kind: 'opened', eventId }] };
      },
    },
  };
  const letter = { type: 'letter', title: 'Letter', version: 1, payload, providers: { local } };
  export default { plugins: [{ name: 'plugin-letter', version: '1.0.0', contract: 1, modules: [letter] }] };
`;

let database: TestDatabase;
let folder: AppFolder;
let cli: Cli;
beforeEach(async () => {
  database = await testDatabase();
  folder = appFolder({ 'batchsender.config.mjs': CONFIG });
  cli = runCli({
    cwd: folder.path,
    env: {
      DATABASE_URL: database.url,
      BATCHSENDER_API_KEY: KEY,
      BATCHSENDER_PUBLIC_URL: PUBLIC_URL,
      BATCHSENDER_LETTER_LOCAL_SECRET: 'a shared secret',
    },
  });
});
afterEach(async () => {
  if (cli.process.exitCode === null) cli.process.kill('SIGKILL');
  await cli.ended;
  await database.drop();
  folder.remove();
});

async function counted(where: string): Promise<number> {
  const connection = new pg.Client({ connectionString: database.url });
  await connection.connect();
  const { rows } = await connection.query(`SELECT count(*)::int AS n FROM batchsender.${where}`);
  await connection.end();
  return rows[0].n;
}

describe('a server', { timeout: 300_000 }, () => {
  test('keeps what its runner process reports, also when it stops at once', async () => {
    const api = client(await cli.ready(), KEY);
    const jobs = Array.from({ length: 500 }, (_, n) => ({ to: `person ${n}` }));
    const { body } = await api('/v1/batches', { type: 'letter', jobs });
    await eventually(async () => (await api(`/v1/batches/${body.id}`)).body.state === 'completed', 120_000);
    expect(await cli.end()).toBe(0);
    expect(await counted(`job_events WHERE kind = 'delivered'`)).toBe(500);
    expect(await counted(`job_events WHERE kind = 'succeeded'`)).toBe(500);
  });

  test('takes the callbacks that its runner gave out the URLs of, many at once', async () => {
    const url = await cli.ready();
    const api = client(url, KEY);
    const { body } = await api('/v1/batches', {
      type: 'letter',
      jobs: Array.from({ length: 200 }, () => ({})),
    });
    await eventually(async () => (await api(`/v1/batches/${body.id}`)).body.state === 'completed', 120_000);
    const { body: page } = await api(`/v1/batches/${body.id}/jobs?limit=200`);
    const call = async (ref: string, secret: string, eventId: string): Promise<number> => {
      const path = ref.replace(PUBLIC_URL, '');
      const init = { method: 'POST', headers: { 'x-secret': secret }, body: JSON.stringify({ eventId }) };
      return (await fetch(url + path, init)).status;
    };
    const refs: string[] = page.items.map(({ ref }: { ref: string }) => ref);
    const statuses = await Promise.all(
      refs.flatMap((ref, n) => [
        call(ref, 'a shared secret', `opened ${n}`),
        call(ref, 'a shared secret', `opened ${n}`),
        call(ref, 'another', `opened ${n}`),
      ]),
    );
    expect(statuses.filter((status) => status === 204)).toHaveLength(400);
    expect(statuses.filter((status) => status === 401)).toHaveLength(200);
    expect(await counted(`job_events WHERE kind = 'opened'`)).toBe(200);
    expect((await api(`/v1/batches/${body.id}/jobs`)).body.items[0].delivery).toBe('opened');
    const audited = await eventually(async () => {
      const { items } = (await api('/v1/audit-log?action=callback.refused')).body;
      return items[0]?.count === 200 && items;
    });
    expect(audited).toHaveLength(1);
  });
});
