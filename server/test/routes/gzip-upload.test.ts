import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ to: `p${n}` })}\n`).join('');

const GZIP = { 'content-encoding': 'gzip' };

const total = async (batchId: string): Promise<number> =>
  (await server.api(`/v1/batches/${batchId}`)).body.counts.total;

const upload = (batchId: string, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  server.upload(batchId, body, { ...GZIP, ...headers });

test('NDJSON and CSV are taken compressed', async () => {
  const batchId = await server.openBatch();
  expect((await upload(batchId, gzipSync(lines(5_000)))).body.accepted).toBe(5_000);
  const csv = await upload(batchId, gzipSync('to\na\nb\n'), { 'content-type': 'text/csv' });
  expect(csv.body.accepted).toBe(2);
  expect(await total(batchId)).toBe(5_002);
});

test('an error names the line of what was compressed', async () => {
  const batchId = await server.openBatch();
  const { body } = await upload(batchId, gzipSync(`${lines(3_000)}nonsense\n`));
  expect([body.code, body.errors[0].line]).toEqual(['invalid_line', 3_001]);
});

test.each([
  ['is cut off', gzipSync(lines(50_000)).subarray(0, -4), 400, 'invalid_compression'],
  ['is no gzip', Buffer.from(lines(3)), 400, 'invalid_compression'],
  ['is a bomb of one line', gzipSync(Buffer.alloc(100_000_000, 'a')), 413, 'line_too_long'],
  ['is a bomb of blank lines', gzipSync(Buffer.alloc(100_000_000, '\n')), 413, 'expands_too_much'],
  ['is a bomb of rows', gzipSync(`{"to":"${'a'.repeat(999)}"}\n`.repeat(40_000)), 413, 'expands_too_much'],
])('what %s stores nothing', async (_name, body, status, code) => {
  const batchId = await server.openBatch();
  const answer = await upload(batchId, body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(await total(batchId)).toBe(0);
  expect((await server.upload(batchId, lines(1))).status).toBe(200);
});

test('a repeat with its Idempotency-Key may be compressed or not', async () => {
  const batchId = await server.openBatch();
  const headers = { 'idempotency-key': 'zipped' };
  const first = await upload(batchId, gzipSync(lines(10)), headers);
  const second = await server.upload(batchId, lines(10), headers);
  const third = await upload(batchId, gzipSync(lines(10), { level: 1 }), headers);
  expect([first.body, second.body, third.body]).toEqual(Array(3).fill(first.body));
  expect(await total(batchId)).toBe(10);
});

test('a batch as JSON is taken compressed, up to the size that a body may have', async () => {
  const batch = { type: 'note', jobs: Array.from({ length: 500 }, (_, n) => ({ to: `p${n}` })) };
  const { status, body } = await server.api('/v1/batches', gzipSync(JSON.stringify(batch)), GZIP);
  expect([status, body.counts.total]).toEqual([201, 500]);
  const long = gzipSync(Buffer.from(Array.from({ length: 4_000_000 }, (_, n) => n).join(' ')));
  expect((await server.api('/v1/batches', long, GZIP)).body.code).toBe('body_too_large');
  const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
  expect((await server.api('/v1/batches', bomb, GZIP)).body.code).toBe('expands_too_much');
  expect((await server.api('/v1/batches', '{}', GZIP)).body.code).toBe('invalid_compression');
});
