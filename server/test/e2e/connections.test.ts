import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpReceiver } from '../../../core/test/helpers/http-receiver.ts';
import { client, eventually } from '../helpers/app.ts';
import { type Cli, dataFolder, runCli } from '../helpers/cli.ts';

const KEY = 'bs_connections';
const signingKey = (letter: string): string => `whsec_${Buffer.alloc(32, letter).toString('base64')}`;

const data = dataFolder();
let receiver: Awaited<ReturnType<typeof httpReceiver>>;
/** The signing key that each delivery was signed with, by its job. */
const signers: string[] = [];

beforeAll(async () => {
  receiver = await httpReceiver(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    signers.push(signerOf(request, body));
    response.writeHead(204).end();
  });
});
afterAll(async () => {
  await receiver.close();
  data.remove();
});

/** Which letter's key has signed a delivery, by the Standard Webhooks specification. */
function signerOf({ headers }: IncomingMessage, body: string): string {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const isBy = (letter: string): boolean => {
    const key = Buffer.from(signingKey(letter).slice('whsec_'.length), 'base64');
    return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
  };
  return ['a', 'b'].find(isBy) ?? 'nobody';
}

const start = (env: Record<string, string> = {}): Cli =>
  runCli({
    env: {
      BATCHSENDER_DATA: data.path,
      BATCHSENDER_API_KEY: KEY,
      BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
      ...env,
    },
  });

async function deliver(api: ReturnType<typeof client>): Promise<void> {
  const jobs = [{ url: `${receiver.url}/hook`, body: { n: 1 } }];
  const { body } = await api('/v1/batches', { type: 'webhook', connection: 'hooks', jobs });
  await eventually(async () => (await api(`/v1/batches/${body.id}`)).body.state === 'completed', 30_000);
}

test('a connection works in the runner process, is changed without a restart, and survives a rotation of its key', {
  timeout: 240_000,
}, async () => {
  const first = start();
  const url = await first.ready();
  const api = client(url, KEY);
  const { body: made } = await api('/v1/connections', {
    type: 'webhook',
    provider: 'http',
    name: 'hooks',
    credentials: { signingSecret: signingKey('a') },
  });
  expect(made).toMatchObject({ state: 'ok', secrets: ['/signingSecret'] });
  await deliver(api);
  const patched = await fetch(`${url}/v1/connections/${made.id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ credentials: { signingSecret: signingKey('b') } }),
  });
  expect(patched.status).toBe(200);
  await eventually(async () => {
    await deliver(api);
    return signers.at(-1) === 'b';
  });
  expect(signers[0]).toBe('a');
  expect(await first.end()).toBe(0);

  const file = join(data.path, 'secret-key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const old = readFileSync(file, 'utf8').trim();
  const next = `next:${Buffer.alloc(32, 'n').toString('base64')}`;
  const rotate = (keys: string): Cli =>
    runCli({
      args: ['keys', 'rotate-secrets'],
      env: { BATCHSENDER_DATA: data.path, BATCHSENDER_SECRET_KEY: keys },
    });
  const lost = rotate(next);
  expect(await lost.ended).toBe(1);
  expect(lost.stdout()).toContain(`1 failed.\n${made.id}: secret_key_missing`);
  const rotation = rotate(`${next},${old}`);
  expect(await rotation.ended).toBe(0);
  expect(rotation.stdout()).toBe('1 rotated to the key "next", 0 had it before, 0 failed.\n');

  const second = start({ BATCHSENDER_SECRET_KEY: next });
  await deliver(client(await second.ready(), KEY));
  expect(signers.at(-1)).toBe('b');
  expect(await second.end()).toBe(0);
  const output = [first, lost, rotation, second].map((cli) => cli.stdout() + cli.stderr()).join('');
  for (const secret of [signingKey('a'), signingKey('b'), old.split(':')[1], next.split(':')[1]]) {
    expect(output).not.toContain(secret);
  }
});

test('a rotation without a key says what to do', async () => {
  const cli = runCli({
    args: ['keys', 'rotate-secrets'],
    env: { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d' },
  });
  expect(await cli.ended).toBe(1);
  expect(cli.stderr()).toMatch(/^BATCHSENDER_SECRET_KEY is not set\./);
});
