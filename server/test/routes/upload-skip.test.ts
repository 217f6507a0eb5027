import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const NDJSON = { 'content-type': 'application/x-ndjson' };
const line = (payload: object): string => `${JSON.stringify(payload)}\n`;
const skip = (
  batchId: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  server.api(`/v1/batches/${batchId}/jobs?onInvalid=skip`, body, { ...NDJSON, ...headers });
const openBatch = async (options: object): Promise<string> =>
  (await server.api('/v1/batches', { type: 'note', ...options })).body.id;
const batchOf = async (batchId: string): Promise<Answer['body']> =>
  (await server.api(`/v1/batches/${batchId}`)).body;

/** Uploads a stream; answers with the parsed body. */
function stream(
  batchId: string,
  source: Iterable<Buffer>,
): Promise<{ status: number; body: Answer['body'] }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, ...NDJSON };
    const url = `${server.url}/v1/batches/${batchId}/jobs?onInvalid=skip`;
    const request = httpRequest(url, { method: 'POST', headers }, async (response) => {
      let text = '';
      for await (const part of response) text += String(part);
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
    });
    request.on('error', reject);
    Readable.from(source, { objectMode: false }).pipe(request);
  });
}

describe('an upload with onInvalid=skip', () => {
  test('takes the good lines, and tells what is wrong with each of the others', async () => {
    const batchId = await openBatch({ defaults: { text: 'Hi {{ first }}' } });
    const named = { variables: { first: 'Ada' } };
    const bytes = Buffer.concat([
      Buffer.from('\ufeff'),
      Buffer.from(line({ to: 'a', ...named })),
      Buffer.from('{"to":\n\n'),
      Buffer.from(line({ to: 5, ...named })),
      Buffer.from('{"to":"x","__proto__":{"admin":true}}\r\n'),
      Buffer.from('["to"]\n'),
      Buffer.from(line({ to: 'b', variables: { frist: 'Bob' } })),
      Buffer.from([...Buffer.from('{"to":"'), 0xff, ...Buffer.from('"}\n')]),
      Buffer.from(`{"to":"c","text":"${'x'.repeat(1_100_000)}"}\n`),
      Buffer.from(`{"to":"d","extra":${'['.repeat(300)}${']'.repeat(300)}}\n`),
      Buffer.from(line({ to: 'e', text: 'bye', colour: 'red' })),
      Buffer.from(JSON.stringify({ to: 'f', ...named })),
    ]);
    const { status, body } = await skip(batchId, bytes);
    expect(status).toBe(200);
    const { errors, ...counts } = body;
    expect(counts).toEqual({ accepted: 2, rejected: 9, duplicates: 0 });
    expect(errors.map(({ line: at, path, code }: Answer['body']) => [at, path, code])).toEqual([
      [2, '', 'malformed_json'],
      [4, '/to', 'wrong_type'],
      [5, '', 'forbidden_key'],
      [6, '', 'not_an_object'],
      [7, '/text', 'invalid_template'],
      [8, '', 'invalid_utf8'],
      [9, '', 'line_too_long'],
      [10, '', 'too_deep'],
      [11, '/colour', 'unknown_field'],
    ]);
    for (const error of errors) expect(Object.keys(error)).toEqual(['line', 'path', 'code', 'message']);
    await server.api(`/v1/batches/${batchId}/seal`, null);
    const done = await server.untilState(batchId, 'completed');
    expect(done).toMatchObject({ rejected: 9, duplicates: 0, counts: { total: 2, succeeded: 2 } });
    expect((await server.api(`/v1/jobs/${batchId}.1`)).body.payload.to).toBe('f');
  });

  test('counts all rejected lines, and lists a hundred problems', async () => {
    const batchId = await openBatch({});
    const { body } = await skip(batchId, `${'nonsense\n'.repeat(2_500)}${line({ to: 'a' })}`);
    expect([body.accepted, body.rejected, body.errors.length]).toEqual([1, 2_500, 100]);
    expect(body.errors.map(({ line: at }: { line: number }) => at)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
  });

  test('is answered with what is wrong also if no line is good', async () => {
    const batchId = await openBatch({});
    const { status, body } = await skip(batchId, '{"too":"a"}\nnonsense\n');
    expect([status, body.accepted, body.rejected]).toEqual([200, 0, 2]);
    expect(await batchOf(batchId)).toMatchObject({ state: 'open', rejected: 2, counts: { total: 0 } });
  });

  test('is refused if it has no lines at all', async () => {
    const { status, body } = await skip(await openBatch({}), '\n  \n');
    expect([status, body.code]).toEqual([422, 'empty_upload']);
  });

  test('passes over a line of 300 MB without keeping it, and takes the next one', async () => {
    const batchId = await openBatch({});
    const piece = Buffer.alloc(1_000_000, 'a');
    function* body(): Generator<Buffer> {
      yield Buffer.from(line({ to: 'a' }));
      for (let n = 0; n < 300; n++) yield piece;
      yield Buffer.from(`\n${line({ to: 'b' })}`);
    }
    const before = process.memoryUsage().rss;
    const answer = await stream(batchId, body());
    expect(answer.body).toMatchObject({
      accepted: 2,
      rejected: 1,
      errors: [{ line: 2, code: 'line_too_long' }],
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });

  test('that is cut off counts nothing, and its lines may be sent again', async () => {
    const batchId = await openBatch({ dedupeBy: 'to' });
    const rows = Array.from({ length: 3_000 }, (_, n) => line({ to: `p${n}` })).join('');
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${KEY}`, ...NDJSON };
    const request = httpRequest(`${server.url}/v1/batches/${batchId}/jobs?onInvalid=skip`, {
      method: 'POST',
      headers,
      signal: controller.signal,
    });
    request.on('error', () => undefined);
    request.write(`nonsense\n${rows}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    const { body } = await eventually(async () => {
      const answer = await skip(batchId, rows);
      return answer.status === 200 && answer;
    });
    expect(body).toEqual({ accepted: 3_000, rejected: 0, duplicates: 0, errors: [] });
    expect(await batchOf(batchId)).toMatchObject({ rejected: 0, duplicates: 0, counts: { total: 3_000 } });
  });
});

describe('a batch with dedupeBy', () => {
  test('tells its paths and the duplicates of its creation', async () => {
    const jobs = ['a', 'b', 'a'].map((to) => ({ to }));
    const { status, body } = await server.api('/v1/batches', { type: 'note', dedupeBy: 'to', jobs });
    expect(status).toBe(201);
    expect(body).toMatchObject({ dedupeBy: ['to'], duplicates: 1, rejected: 0, counts: { total: 2 } });
    const plain = await server.api('/v1/batches', { type: 'note', jobs });
    expect(plain.body).toMatchObject({ dedupeBy: null, duplicates: 0, counts: { total: 3 } });
  });

  test('leaves duplicates out of its uploads, and adds them up', async () => {
    const batchId = await openBatch({ dedupeBy: ['to', 'variables.list'] });
    const row = (to: string, list: string): string => line({ to, variables: { list } });
    const first = await server.upload(batchId, row('a', '1') + row('a', '2') + row('a', '1'));
    expect(first.body).toEqual({ accepted: 2, rejected: 0, duplicates: 1, errors: [] });
    const second = await skip(batchId, `${row('a', '2')}nonsense\n${row('b', '1')}`);
    expect(second.body).toMatchObject({ accepted: 1, rejected: 1, duplicates: 1 });
    const again = await server.upload(batchId, row('b', '1'));
    expect([again.status, again.body.accepted, again.body.duplicates]).toEqual([200, 0, 1]);
    expect(await batchOf(batchId)).toMatchObject({ duplicates: 3, rejected: 1, counts: { total: 3 } });
  });

  test.each([
    ['a field that no payload has', 'colour', 'invalid_batch', '/dedupeBy'],
    ['a field of the prototype', ['to', '__proto__.x'], 'invalid_batch', '/dedupeBy/1'],
    ['no path', [], 'invalid_request', '/dedupeBy'],
    ['an empty path', '', 'invalid_batch', '/dedupeBy'],
    ['too many paths', Array(9).fill('to'), 'invalid_request', '/dedupeBy'],
    ['a number', 7, 'invalid_request', '/dedupeBy'],
    ['a list of lists', [['to']], 'invalid_request', '/dedupeBy/0'],
  ])('is refused with %s', async (_what, dedupeBy, code, path) => {
    const { status, body } = await server.api('/v1/batches', { type: 'note', dedupeBy });
    expect([status, body.code, body.errors[0].path]).toEqual([422, code, path]);
  });

  test('is not for single jobs', async () => {
    const job = { type: 'note', payload: { to: 'a' }, dedupeBy: 'to' };
    const { status, body } = await server.api('/v1/jobs', job);
    expect([status, body.errors[0].path]).toEqual([422, '/dedupeBy']);
  });
});

describe('repeated with its Idempotency-Key', () => {
  let made = 0;
  const freshKey = () => ({ 'idempotency-key': `skip-${++made}` });
  const rows = `${line({ to: 'a' })}nonsense\n${line({ to: 'a' })}${line({ to: 7 })}`;

  test('an upload gets the same counts and errors, and counts once', async () => {
    const batchId = await openBatch({ dedupeBy: 'to' });
    const key = freshKey();
    const [first, second] = [await skip(batchId, rows, key), await skip(batchId, rows, key)];
    expect(first.body).toMatchObject({ accepted: 1, rejected: 2, duplicates: 1 });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(await batchOf(batchId)).toMatchObject({ rejected: 2, duplicates: 1, counts: { total: 1 } });
  });

  test('an upload gets them also if the process died before it kept the answer', async () => {
    const batchId = await openBatch({ dedupeBy: 'to' });
    const key = freshKey();
    const { body } = await skip(batchId, rows, key);
    const id = key['idempotency-key'];
    // What a process leaves behind that dies between the COMMIT and the note of the answer.
    await server.sql(
      `UPDATE batchsender.idempotency_keys SET status = NULL, body = NULL WHERE key = '${id}'`,
    );
    const repeat = await skip(batchId, rows, key);
    expect([repeat.status, repeat.body]).toEqual([200, body]);
    // As releases before `onInvalid=skip` left it.
    await server.sql(
      `UPDATE batchsender.idempotency_keys SET status = NULL, body = NULL, ref = '41' WHERE key = '${id}'`,
    );
    const old = await skip(batchId, rows, key);
    expect(old.body).toEqual({ accepted: 41, rejected: 0, duplicates: 0, errors: [] });
  });

  test('an upload must be asked for in the same way', async () => {
    const batchId = await openBatch({});
    const key = freshKey();
    await skip(batchId, rows, key);
    const { status, body } = await server.upload(batchId, rows, key);
    expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  test('a creation gets the same duplicates', async () => {
    const key = freshKey();
    const batch = { type: 'note', dedupeBy: 'to', sealed: false, jobs: [{ to: 'a' }, { to: 'a' }] };
    const first = await server.api('/v1/batches', batch, key);
    const second = await server.api('/v1/batches', batch, key);
    expect(first.body).toMatchObject({ duplicates: 1, counts: { total: 1 } });
    expect(second.body).toEqual(first.body);
  });
});
