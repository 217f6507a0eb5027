import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { client, eventually } from '../helpers/app.ts';
import { dataFolder, runCli } from '../helpers/cli.ts';
import { startReceiver } from '../helpers/receiver.ts';

const COUNT = 10_000;
const KEY = 'bs_delivery';
const data = dataFolder();
afterAll(() => data.remove());

test('10,000 webhooks that curl uploads as NDJSON arrive, and each one is accounted for', {
  timeout: 180_000,
}, async () => {
  const receiver = await startReceiver();
  const cli = runCli({
    env: {
      BATCHSENDER_DATA: data.path,
      BATCHSENDER_API_KEY: KEY,
      BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
    },
  });
  const url = await cli.ready();
  const api = client(url, KEY);
  const { id } = (await api('/v1/batches', { type: 'webhook', defaults: { url: `${receiver.url}/hook` } }))
    .body;

  const file = join(data.path, '..', 'jobs.ndjson');
  const lines = Array.from({ length: COUNT }, (_, n) => `${JSON.stringify({ body: { n } })}\n`);
  writeFileSync(file, lines.join(''));
  const headers = ['-H', `authorization: Bearer ${KEY}`, '-H', 'content-type: application/x-ndjson'];
  const { stdout } = await promisify(execFile)('curl', [
    ...['-sS', '-X', 'POST', '-T', file],
    ...headers,
    `${url}/v1/batches/${id}/jobs`,
  ]);
  expect(JSON.parse(stdout)).toEqual({ accepted: COUNT, rejected: 0, duplicates: 0, errors: [] });
  expect(receiver.calls).toBe(0);

  await api(`/v1/batches/${id}/seal`, null);
  const done = await eventually(async () => {
    const { body } = await api(`/v1/batches/${id}`);
    return body.state === 'completed' && body;
  }, 120_000);
  expect(done.counts).toMatchObject({ total: COUNT, succeeded: COUNT });
  expect(receiver.counts.size).toBe(COUNT);
  expect(receiver.calls).toBe(COUNT);
  expect(await cli.end()).toBe(0);
  expect(cli.stdout()).not.toContain(KEY);
  await receiver.close();
});
