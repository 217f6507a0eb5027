import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../../../core/test/helpers/postgres.ts';
import { buildApp } from '../../src/app.ts';
import { apiKey } from '../../src/http/auth.ts';
import { eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';
import { type CountedResults, countedResults } from '../helpers/counted-results.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';

/** Far more than the buffers of two sockets take. */
const COUNT = 40_000;
const jobs = Array.from({ length: COUNT }, (_, n) => ({ to: `p${n}`, text: 'x'.repeat(1_000) }));

/** Begins an export and answers its response, of which nothing was read. */
function begin(url: string, batchId: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, accept: 'application/x-ndjson' };
    request(`${url}/v1/batches/${batchId}/results`, { headers }, resolve).on('error', reject).end();
  });
}

/** Waits until no more rows are taken; answers how many were. */
async function untilItStands(counted: CountedResults): Promise<number> {
  let last = -1;
  let still = 0;
  return eventually(async () => {
    still = counted.rows() === last ? still + 1 : 0;
    last = counted.rows();
    return still === 20 && last;
  });
}

async function countLines(response: IncomingMessage): Promise<number> {
  let lines = 0;
  for await (const chunk of response) for (const byte of chunk as Buffer) if (byte === 10) lines++;
  return lines;
}

describe('an export', () => {
  let server: TestApp;
  let counted: CountedResults;
  let url: string;
  let batchId: string;
  let close: () => Promise<void>;
  beforeAll(async () => {
    server = await startApp();
    counted = countedResults(server.engine);
    const app = buildApp({
      engine: counted.engine,
      apiKey: await apiKey(KEY, server.engine.settings),
      version: '1',
    });
    url = await app.listen({ port: 0, host: '127.0.0.1' });
    close = () => app.close();
    batchId = (await server.engine.submit({ type: 'note', jobs, sealed: false })).id;
  });
  afterAll(async () => {
    await close();
    await server.stop();
  });

  test('waits for a slow reader, and is whole in the end', async () => {
    const before = counted.rows();
    const response = await begin(url, batchId);
    const taken = (await untilItStands(counted)) - before;
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(COUNT / 2);
    expect(await countLines(response)).toBe(COUNT);
  });

  test('ends when its reader goes away', async () => {
    const [rows, ended] = [counted.rows(), counted.ended()];
    const response = await begin(url, batchId);
    await untilItStands(counted);
    response.destroy();
    await eventually(async () => counted.ended() > ended);
    expect(counted.rows() - rows).toBeLessThan(COUNT / 2);
  });
});

test('an export is cut when the database fails in the middle, and nothing looks complete', async () => {
  const database = await testDatabase();
  const target = new URL(database.url);
  const proxy = await startTcpProxy(Number(target.port));
  target.port = String(proxy.port);
  const server = await startApp({ database: target.href });
  const { id } = await server.engine.submit({ type: 'note', jobs, sealed: false });
  const response = await begin(server.url, id);
  // Its buffers are full, and most of the batch is still to be read.
  response.resume();
  await new Promise((resolve) => response.once('data', resolve));
  response.pause();
  await proxy.pull();
  await expect(countLines(response)).rejects.toThrow('aborted');
  expect(response.complete).toBe(false);
  await eventually(async () => server.log().includes('an export was cut'));
  const refused = await server.api(`/v1/batches/${id}/results`);
  expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
  expect(refused.headers.get('content-disposition')).toBeNull();
  await proxy.plug();
  await server.stop();
  await database.drop();
  await proxy.pull();
});
