import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

/** A part of a form: a field, or a file if it has a name or a type. */
interface Part {
  readonly name: string;
  readonly value: string | Buffer;
  readonly file?: string;
  readonly type?: string;
}

const batch = (fields: object = {}): Part => ({
  name: 'batch',
  value: JSON.stringify({ type: 'note', name: 'form', ...fields }),
  type: 'application/json',
});
const csv = (value: string | Buffer, file = 'people.csv'): Part => ({
  name: 'file',
  value,
  file,
  type: 'text/csv',
});

function formOf(parts: readonly Part[], boundary: string): Buffer {
  const pieces = parts.flatMap(({ name, value, file, type }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n`,
    type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`,
    value,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

let boundaries = 0;

function send(parts: readonly Part[], headers: Record<string, string> = {}, query = ''): Promise<Answer> {
  const boundary = `b${++boundaries}`;
  return server.api(`/v1/batches${query}`, formOf(parts, boundary), {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    ...headers,
  });
}

const batches = async (): Promise<number> => (await server.api('/v1/batches?limit=1000')).body.items.length;

describe('a form', () => {
  test('makes the batch, with the jobs of its file, and seals it', async () => {
    const { status, body, headers } = await send([batch(), csv('To,name\na,Ada\nb,Bob\n')]);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/batches/${body.id}`);
    expect(body).toMatchObject({
      name: 'form',
      counts: { total: 2 },
      upload: { accepted: 2, rejected: 0, duplicates: 0, errors: [] },
    });
    expect((await server.untilState(body.id, 'completed')).counts.succeeded).toBe(2);
    expect((await server.api(`/v1/jobs/${body.id}.1`)).body.payload).toEqual({
      to: 'b',
      variables: { name: 'Bob' },
    });
  });

  test('leaves the batch open if it says so', async () => {
    const { body } = await send([batch({ sealed: false }), csv('to\na\n')]);
    expect([body.state, body.counts.total]).toEqual(['open', 1]);
  });

  test('takes a large file, whose rows nobody sees before its end', async () => {
    const rows = Array.from({ length: 30_000 }, (_, n) => `p${n}\n`).join('');
    const { body } = await send([batch({ sealed: false }), csv(`to\n${rows}`)]);
    expect(body.upload.accepted).toBe(30_000);
  });

  test.each([
    ['.ndjson', '{"to":"a"}\n', 'jobs.ndjson', undefined],
    ['.JSONL', '{"to":"a"}\n', 'jobs.JSONL', 'application/octet-stream'],
    ['.csv.gz', gzipSync('to\na\n'), 'people.csv.gz', 'application/gzip'],
    ['.ndjson.gz', gzipSync('{"to":"a"}\n'), 'jobs.ndjson.gz', undefined],
    ['its type alone', 'to\na\n', 'people', 'text/csv'],
  ])('takes a file by %s', async (_name, value, file, type) => {
    const part = { name: 'file', value, file, ...(type === undefined ? {} : { type }) };
    const { status, body } = await send([batch(), part]);
    expect([status, body.upload?.accepted]).toEqual([201, 1]);
  });

  test('takes the batch as plain text, or as a file', async () => {
    const { type: _type, ...plain } = batch();
    expect((await send([plain, csv('to\na\n')])).status).toBe(201);
    expect((await send([{ ...batch(), file: 'batch.json' }, csv('to\na\n')])).status).toBe(201);
  });

  test('takes options as fields or in the query', async () => {
    const file = csv(Buffer.from('E-Mail:x\n\x80:1\n', 'latin1'));
    const fields = { delimiter: ':', encoding: 'windows-1252', 'map.E-Mail': 'to', 'map.x': '' };
    const parts = Object.entries(fields).map(([name, value]) => ({ name, value }));
    const byFields = await send([parts[0] as Part, batch(), ...parts.slice(1), file]);
    const byQuery = await send([batch(), file], {}, `?${new URLSearchParams(fields)}`);
    for (const { body } of [byFields, byQuery]) {
      expect((await server.api(`/v1/jobs/${body.id}.0`)).body.payload).toEqual({ to: '€' });
    }
  });

  test('leaves invalid rows and duplicates out if asked, and the batch keeps both counts', async () => {
    const parts = [
      batch({ dedupeBy: 'to' }),
      { name: 'onInvalid', value: 'skip' },
      csv('to,outcome\na,\nb,nonsense\na,\n'),
    ];
    const headers = { 'idempotency-key': 'form-skip' };
    const { status, body } = await send(parts, headers);
    expect(status).toBe(201);
    expect(body.upload).toMatchObject({ accepted: 1, rejected: 1, duplicates: 1, errors: [{ line: 3 }] });
    expect(body).toMatchObject({ rejected: 1, duplicates: 1, counts: { total: 1 } });
    const again = await send(parts, headers);
    expect(again.body).toMatchObject({ id: body.id, upload: { rejected: 1, duplicates: 1 } });
  });

  test('repeated with its Idempotency-Key makes one batch, whatever its boundary', async () => {
    const parts = [batch({ name: 'once' }), csv('to\na\nb\n')];
    const headers = { 'idempotency-key': 'form-once' };
    const first = await send(parts, headers);
    const second = await send(parts, headers);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect([second.status, second.body]).toEqual([201, first.body]);
    const other = await send([batch({ name: 'once' }), csv('to\na\nc\n')], headers);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  });
});

describe('a form leaves nothing behind', () => {
  const big = `to\n${'a\n'.repeat(100_000)}`;
  test.each([
    ['a bad row', [batch(), csv(`${big}a,b\n${big}`)], 'invalid_line'],
    ['a bad header', [batch(), csv(`name\n${big}`)], 'invalid_header'],
    ['an empty file', [batch(), csv('')], 'empty_upload'],
    ['a bad payload', [batch(), csv('to,outcome\na,nonsense\n')], 'invalid_payload'],
    ['an unknown type', [batch({ type: 'pigeon' }), csv(big)], 'unknown_type'],
    ['an unknown field of the batch', [batch({ colour: 'red' }), csv(big)], 'invalid_request'],
    ['a batch that is no JSON', [{ name: 'batch', value: '{"type":' }, csv(big)], 'malformed_json'],
    [
      'a batch that is no JSON, by its type',
      [{ ...batch(), value: '{"type":' }, csv(big)],
      'invalid_multipart',
    ],
    [
      'a batch that is too deep',
      [{ ...batch(), value: '['.repeat(400_000) + ']'.repeat(400_000) }, csv(big)],
      /invalid/,
    ],
    ['a batch with jobs', [batch({ jobs: [{ to: 'a' }] }), csv(big)], 'invalid_multipart'],
    ['two batches', [batch(), batch(), csv(big)], 'invalid_multipart'],
    ['a file before the batch', [csv(big), batch()], 'invalid_multipart'],
    ['two files', [batch(), csv('to\na\n'), csv(big)], 'invalid_multipart'],
    [
      'a field behind the file',
      [batch(), csv('to\na\n'), { name: 'delimiter', value: ';' }],
      'invalid_multipart',
    ],
    ['no batch', [csv(big)], 'invalid_multipart'],
    ['no file', [batch()], 'invalid_multipart'],
    ['a file of another name', [batch(), { ...csv(big), name: 'upload' }], 'invalid_multipart'],
    [
      'a file of another kind',
      [batch(), { ...csv(big, 'a.xlsx'), type: 'application/zip' }],
      'invalid_multipart',
    ],
    ['an unknown field', [batch(), { name: 'colour', value: 'red' }, csv(big)], 'invalid_multipart'],
    [
      'a field twice',
      [batch(), ...['a', 'b'].map((value) => ({ name: 'map.x', value })), csv(big)],
      'invalid_multipart',
    ],
    ['a field called __proto__', [batch(), { name: '__proto__', value: '1' }, csv(big)], 'invalid_multipart'],
    [
      'a field that is too long',
      [batch(), { name: 'delimiter', value: 'x'.repeat(2e6) }, csv(big)],
      'invalid_multipart',
    ],
    [
      'ten thousand fields',
      [batch(), ...Array.from({ length: 10_000 }, (_, n) => ({ name: `map.${n}`, value: '' })), csv(big)],
      'invalid_multipart',
    ],
    ['a wrong option', [batch(), { name: 'encoding', value: 'klingon' }, csv(big)], 'invalid_query'],
    ['an option with another value', [batch(), { name: 'onInvalid', value: 'x' }, csv(big)], 'invalid_query'],
    ['a file that is no gzip', [batch(), csv('to\na\n', 'people.csv.gz')], 'invalid_compression'],
    [
      'a bomb',
      [batch(), csv(gzipSync(`to\n${`${'a'.repeat(999)}\n`.repeat(40_000)}`), 'people.csv.gz')],
      'expands_too_much',
    ],
  ])('with %s', async (_name, parts, code) => {
    const before = await batches();
    const { status, body } = await send(parts as Part[], { 'idempotency-key': `bad-${boundaries}` });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body.code).toMatch(code);
    expect(await batches()).toBe(before);
  });

  test.each([
    ['is empty', Buffer.alloc(0)],
    ['is no form', Buffer.from('hello')],
    ['ends within the file', formOf([batch(), csv(big)], 'x').subarray(0, 5_000)],
    ['ends before the last boundary', formOf([batch(), csv('to\na\n')], 'x').subarray(0, -8)],
  ])('if its body %s', async (_name, bytes) => {
    const before = await batches();
    const { status } = await server.api('/v1/batches', bytes, {
      'content-type': 'multipart/form-data; boundary=x',
    });
    expect(status).toBe(400);
    expect(await batches()).toBe(before);
  });

  test('if it has no boundary, or is compressed as a whole', async () => {
    const plain = await server.api('/v1/batches', 'x', { 'content-type': 'multipart/form-data' });
    expect([plain.status, plain.body.code]).toEqual([400, 'invalid_multipart']);
    const zipped = await send([batch(), csv('to\na\n')], { 'content-encoding': 'gzip' });
    expect([zipped.status, zipped.body.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('if the client goes away', async () => {
    const before = await batches();
    const abort = new AbortController();
    const form = formOf([batch(), csv(big)], 'x');
    async function* half(): AsyncGenerator<Uint8Array> {
      yield form.subarray(0, 100_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      abort.abort();
    }
    const init = {
      method: 'POST',
      body: ReadableStream.from(half()),
      duplex: 'half',
      signal: abort.signal,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'multipart/form-data; boundary=x' },
    };
    await expect(fetch(`${server.url}/v1/batches`, init as RequestInit)).rejects.toThrow();
    await eventually(
      async () => server.log().includes('upload_cut') || server.log().includes('"status":400'),
    );
    expect(await batches()).toBe(before);
  });
});

test('a form at another address is refused as a type', async () => {
  const { status, body } = await server.api('/v1/jobs', 'x', {
    'content-type': 'multipart/form-data; boundary=x',
  });
  expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
});

test('a form needs the key', async () => {
  const { status } = await send([batch(), csv('to\na\n')], { authorization: 'Bearer bs_wrong' });
  expect(status).toBe(401);
});
