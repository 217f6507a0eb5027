import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../core/test/helpers/postgres.ts';
import { client, eventually } from '../helpers/app.ts';
import { type Cli, runCli } from '../helpers/cli.ts';
import { freshStream } from '../helpers/nats-line.ts';
import { type NatsServer, startNats } from '../helpers/nats-process.ts';
import { describeWithNats } from '../helpers/nats-server.ts';
import { startReceiver } from '../helpers/receiver.ts';

const KEY = 'bs_nats';
const COUNT = 6_000;

describeWithNats('servers with NATS', (binary) => {
  let nats: NatsServer;
  let database: TestDatabase;
  let stream = '';
  const closers: (() => unknown)[] = [];
  beforeEach(async () => {
    nats = await startNats(binary, { config: 'authorization { user: joe, password: "pa55-word" }' });
    database = await testDatabase();
    stream = freshStream();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await database.drop();
    await nats.stop();
  });

  const start = (env: Record<string, string> = {}): Cli => {
    const cli = runCli({
      env: {
        DATABASE_URL: database.url,
        NATS_URL: `nats://joe:pa55-word@127.0.0.1:${nats.port}`,
        BATCHSENDER_NATS_STREAM: stream,
        BATCHSENDER_API_KEY: KEY,
        BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
        ...env,
      },
    });
    closers.push(() => cli.end('SIGKILL'));
    return cli;
  };

  it('two share a batch, and one of them finishes it when the other one is killed with -9', async () => {
    const receiver = await startReceiver(5);
    closers.push(() => receiver.close());
    const [first, second] = [start(), start()];
    const api = client(await first.ready(), KEY);
    const other = client(await second.ready(), KEY);
    const { id } = (await api('/v1/batches', { type: 'webhook', defaults: { url: receiver.url } })).body;
    const ndjson = '{}\n'.repeat(COUNT);
    await api(`/v1/batches/${id}/jobs`, ndjson, { 'content-type': 'application/x-ndjson' });
    await api(`/v1/batches/${id}/seal`, null);
    await eventually(async () => receiver.calls > COUNT / 4, 60_000);
    await first.end('SIGKILL');
    await eventually(async () => (await other(`/v1/batches/${id}`)).body.state === 'completed', 110_000);
    expect((await other(`/v1/batches/${id}`)).body.counts).toMatchObject({ total: COUNT, succeeded: COUNT });
    expect(receiver.counts.size).toBe(COUNT);
  }, 200_000);

  it('tell NATS neither credentials nor payloads nor addresses', async () => {
    const receiver = await startReceiver();
    closers.push(() => receiver.close());
    const heard: string[] = [];
    const spy = await connect({ servers: `127.0.0.1:${nats.port}`, user: 'joe', pass: 'pa55-word' });
    closers.push(() => spy.close());
    spy.subscribe('>', {
      callback: (_error, message) => {
        heard.push([message.subject, message.headers, message.string()].join(' '));
      },
    });
    await spy.flush();
    const cli = start({
      BATCHSENDER_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      BATCHSENDER_WEBHOOK_HTTP_SIGNING_SECRET: 'canary-of-the-host',
    });
    const api = client(await cli.ready(), KEY);
    const credentials = { signingSecret: 'canary-of-a-connection' };
    const made = await api('/v1/connections', {
      type: 'webhook',
      provider: 'http',
      name: 'main',
      credentials,
    });
    expect(made.status).toBe(201);
    const job = { url: `${receiver.url}/canary-of-a-url`, body: 'canary-of-a-body' };
    for (const connection of [undefined, 'main']) {
      const jobs = Array.from({ length: 1_200 }, () => job);
      const { id } = (await api('/v1/batches', { type: 'webhook', connection, jobs })).body;
      await eventually(async () => (await api(`/v1/batches/${id}`)).body.state === 'completed', 60_000);
    }
    expect(receiver.calls).toBe(2_400);
    expect(heard.join('\n')).toContain('webhook');
    expect(heard.join('\n')).not.toContain('canary');
    const files = readdirSync(nats.store, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).includes('canary')).toBe(false);
  }, 120_000);

  it('start while NATS is down, tell so by /readyz, take and deliver jobs, and become ready', async () => {
    const receiver = await startReceiver();
    closers.push(() => receiver.close());
    await nats.kill();
    const cli = start();
    const api = client(await cli.ready(), KEY);
    await eventually(async () => (await api('/readyz')).body.code === 'nats_unavailable');
    expect((await api('/readyz')).status).toBe(503);
    expect((await api('/healthz')).status).toBe(200);
    const { body } = await api('/v1/batches', { type: 'webhook', jobs: [{ url: receiver.url }] });
    await eventually(async () => (await api(`/v1/batches/${body.id}`)).body.state === 'completed', 30_000);
    await nats.start();
    await eventually(async () => (await api('/readyz')).status === 200);
    expect(cli.stdout()).toContain('does not answer');
    expect(cli.stdout() + cli.stderr()).not.toContain('pa55-word');
    expect(await cli.end()).toBe(0);
  }, 120_000);

  it.each([
    ['a wrong password', { NATS_URL: '' }, /does not let us in: the user or the password is wrong\./],
    ['plaintext to another machine', { NATS_URL: 'nats://192.0.2.1' }, /would be reached without encryption/],
  ])('do not start with %s, and say what to do', async (_, env, message) => {
    const url = env.NATS_URL || `nats://joe:wr0ng-one@127.0.0.1:${nats.port}`;
    const cli = start({ NATS_URL: url });
    expect(await cli.ended).toBe(1);
    expect(cli.stderr()).toMatch(message);
    expect(cli.stdout() + cli.stderr()).not.toContain('wr0ng-one');
  });
});
