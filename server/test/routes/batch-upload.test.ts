import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ to: `p${n}` })}\n`).join('');

const total = async (batchId: string): Promise<number> =>
  (await server.api(`/v1/batches/${batchId}`)).body.counts.total;

/** Opens an upload whose bytes the test sends itself. */
function rawUpload(batchId: string, headers: Record<string, string> = {}): Socket {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  const head = {
    host: 'test',
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/x-ndjson',
    'transfer-encoding': 'chunked',
    ...headers,
  };
  const text = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /v1/batches/${batchId}/jobs HTTP/1.1\r\n${text.join('')}\r\n`);
  return socket;
}

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** Sends the same piece again and again until the server answers; tells how many bytes went out. */
function sendUntilAnswered(batchId: string, piece: Buffer): Promise<Answer & { sentBytes: number }> {
  return new Promise((resolve, reject) => {
    let sentBytes = 0;
    let isAnswered = false;
    const request = httpRequest(`${server.url}/v1/batches/${batchId}/jobs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/x-ndjson',
        'content-length': 2e9,
      },
    });
    const send = (): void => {
      while (!isAnswered && request.write(piece)) sentBytes += piece.length;
    };
    request.on('drain', send).on('error', reject);
    request.on('response', async (response) => {
      isAnswered = true;
      let text = '';
      for await (const part of response) text += String(part);
      request.destroy();
      resolve({
        status: response.statusCode ?? 0,
        headers: new Headers(),
        body: JSON.parse(text),
        sentBytes,
      });
    });
    send();
  });
}

describe('an upload', () => {
  test('of all lines is taken, in order, and delivered after the seal', async () => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, lines(2_500));
    expect([status, body]).toEqual([200, { accepted: 2_500, rejected: 0, duplicates: 0, errors: [] }]);
    expect((await server.api(`/v1/batches/${batchId}`)).body.state).toBe('open');
    await server.api(`/v1/batches/${batchId}/seal`, null);
    const done = await server.untilState(batchId, 'completed');
    expect(done.counts).toMatchObject({ total: 2_500, succeeded: 2_500 });
    const { body: job } = await server.api(`/v1/jobs/${batchId}.2499`);
    expect(job).toMatchObject({ state: 'succeeded', payload: { to: 'p2499' } });
  });

  test('may be followed by another one', async () => {
    const batchId = await server.openBatch();
    await server.upload(batchId, lines(10));
    await server.upload(batchId, lines(5));
    expect(await total(batchId)).toBe(15);
  });

  test('takes a byte order mark, CRLF, blank lines, and characters of any kind', async () => {
    const batchId = await server.openBatch();
    const text = '\ufeff{"to":"Jürgen"}\r\n\r\n   \n{"to":"日本"}\r\n{"to":"😀"}';
    expect((await server.upload(batchId, text)).body).toMatchObject({ accepted: 3 });
    expect((await server.api(`/v1/jobs/${batchId}.2`)).body.payload).toEqual({ to: '😀' });
  });

  test('that arrives byte by byte is the same upload', async () => {
    const batchId = await server.openBatch();
    const socket = rawUpload(batchId, { connection: 'close' });
    for (const byte of Buffer.from('{"to":"ü"}\n{"to":"ß"}')) {
      socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write('0\r\n\r\n');
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await total(batchId)).toBe(2);
  });
});

describe('a bad line takes back the whole upload:', () => {
  test('malformed JSON at line 99,999', async () => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, `${lines(99_998)}{"to":"x"\n${lines(10)}`);
    expect([status, body.code]).toEqual([422, 'invalid_line']);
    expect(body.errors).toEqual([
      { line: 99_999, path: '', code: 'malformed_json', message: expect.stringContaining('column 10') },
    ]);
    expect(await total(batchId)).toBe(0);
    expect((await server.upload(batchId, lines(1))).status).toBe(200);
  });

  test('a payload that the schema refuses, by its line and JSON pointer', async () => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, `${lines(4_000)}\n\n{"to":""}\n${lines(10)}`);
    expect([status, body.code]).toEqual([422, 'invalid_payload']);
    expect(body.errors[0]).toMatchObject({ line: 4_003, path: '/to' });
    expect(body.errors[0].index).toBeUndefined();
    expect(body.detail).toMatch(/^Line 4003, \/to: .*\. Nothing was stored\.$/);
    expect(await total(batchId)).toBe(0);
  });

  test.each([
    ['{"__proto__":{"a":1},"to":"x"}', 'forbidden_key'],
    ['{"to":"x","constructor":{"prototype":{}}}', 'forbidden_key'],
    ['["to"]', 'not_an_object'],
    ['"to"', 'not_an_object'],
    ['\ufeff{"to":"x"}', 'malformed_json'],
    [`{"to":"x","extra":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'too_deep'],
  ])('%.40s', async (line, code) => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, `{"to":"first"}\n${line}\n`);
    expect([status, body.code]).toEqual([422, 'invalid_line']);
    expect(body.errors[0]).toMatchObject({ line: 2, code });
    expect(await total(batchId)).toBe(0);
  });

  test('invalid UTF-8', async () => {
    const batchId = await server.openBatch();
    const bytes = Buffer.concat([
      Buffer.from('{"to":"a"}\n{"to":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n'),
    ]);
    const { status, body } = await server.upload(batchId, bytes);
    expect([status, body.errors[0].line, body.errors[0].code]).toEqual([422, 2, 'invalid_utf8']);
  });

  test('a template with an unknown variable', async () => {
    const batch = { type: 'note', defaults: { text: 'Hi {{ first }}' } };
    const batchId = (await server.api('/v1/batches', batch)).body.id;
    const good = '{"to":"a","variables":{"first":"A"}}\n';
    const { status, body } = await server.upload(batchId, `${good}{"to":"b","variables":{"frist":"B"}}\n`);
    expect(status).toBe(422);
    expect(body.errors[0]).toMatchObject({ line: 2, path: '/text' });
    expect(JSON.stringify(body)).toContain('first');
  });

  test.each(['\\u0000', '\\ud800'])(
    '%s in a string is an error of the line, or is taken',
    async (sequence) => {
      const batchId = await server.openBatch();
      const { status } = await server.upload(batchId, `{"to":"a${sequence}b"}\n`);
      expect([200, 422]).toContain(status);
    },
  );
});

describe('a long line', () => {
  test('of 2 GB without an end is refused early, and the client gets the answer', async () => {
    const batchId = await server.openBatch();
    const before = process.memoryUsage().rss;
    const { status, body, sentBytes } = await sendUntilAnswered(batchId, Buffer.alloc(65_536, 'a'));
    expect([status, body.code]).toEqual([413, 'line_too_long']);
    expect(body.errors[0].line).toBe(1);
    expect(sentBytes).toBeLessThan(100e6);
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });

  test('is refused by its number also when it ends', async () => {
    const batchId = await server.openBatch();
    const text = `{"to":"a"}\n{"to":"b","text":"${'x'.repeat(1_100_000)}"}\n`;
    const { status, body } = await server.upload(batchId, text);
    expect([status, body.code, body.errors[0].line]).toEqual([413, 'line_too_long', 2]);
  });
});

describe('a batch that takes no upload:', () => {
  test('an unknown one, while gigabytes are being sent', async () => {
    const unknownId = '019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60';
    const { status, body } = await sendUntilAnswered(unknownId, Buffer.from(lines(2_000)));
    expect([status, body.code]).toEqual([404, 'batch_not_found']);
  });

  test('a sealed one', async () => {
    const batchId = await server.openBatch();
    await server.upload(batchId, lines(1));
    await server.api(`/v1/batches/${batchId}/seal`, null);
    const { status, body } = await server.upload(batchId, lines(1));
    expect([status, body.code]).toEqual([409, 'batch_not_open']);
  });

  test('a cancelled one', async () => {
    const batchId = await server.openBatch();
    await server.api(`/v1/batches/${batchId}/cancel`, null);
    const { status, body } = await server.upload(batchId, lines(1));
    expect([status, body.code]).toEqual([409, 'batch_not_open']);
  });

  test('one with an upload that is running', async () => {
    const batchId = await server.openBatch();
    const running = await server.engine.upload(batchId);
    const { status, body } = await server.upload(batchId, lines(1));
    expect([status, body.code]).toEqual([409, 'upload_in_progress']);
    await running.abort();
    expect((await server.upload(batchId, lines(1))).status).toBe(200);
  });

  test('two uploads at once: one is taken as a whole, the other refused or taken after it', async () => {
    const batchId = await server.openBatch();
    const answers = await Promise.all([
      server.upload(batchId, lines(30_000)),
      server.upload(batchId, lines(20_000)),
    ]);
    const accepted = answers
      .filter(({ status }) => status === 200)
      .map(({ body }) => body.accepted as number);
    const refused = answers.filter(({ status }) => status !== 200);
    for (const { body } of refused) expect(body.code).toBe('upload_in_progress');
    expect(accepted.length).toBeGreaterThan(0);
    expect(await total(batchId)).toBe(accepted.reduce((sum, count) => sum + count));
  });
});

describe('an upload is refused', () => {
  test.each(['', '\n\n', '  \r\n', '\ufeff'])('when it is empty: %j', async (text) => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, text);
    expect([status, body.code]).toEqual([422, 'empty_upload']);
  });

  test.each(['text/tab-separated-values', 'application/json', 'text/plain', 'banana'])(
    'as %s, naming what is accepted',
    async (type) => {
      const batchId = await server.openBatch();
      const { status, body } = await server.upload(batchId, lines(1), { 'content-type': type });
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
      expect(body.detail).toContain('application/x-ndjson');
    },
  );

  test.each(['br', 'deflate', 'gzip, gzip'])('compressed by %s, naming gzip', async (encoding) => {
    const batchId = await server.openBatch();
    const { status, body } = await server.upload(batchId, lines(1), { 'content-encoding': encoding });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    expect(body.detail).toContain('gzip');
  });
});

test('an unknown onInvalid is refused', async () => {
  const batchId = await server.openBatch();
  const { status, body } = await server.api(`/v1/batches/${batchId}/jobs?onInvalid=maybe`, lines(1), {
    'content-type': 'application/x-ndjson',
  });
  expect([status, body.code]).toEqual([400, 'invalid_query']);
});

test('an upload that is cut off half-way stores nothing', async () => {
  const batchId = await server.openBatch();
  const socket = rawUpload(batchId);
  socket.write(chunk(lines(20_000)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  socket.destroy();
  await eventually(async () => (await server.upload(batchId, lines(1))).status === 200);
  expect(await total(batchId)).toBe(1);
});

test('a body that is shorter than its content-length stores nothing', async () => {
  const batchId = await server.openBatch();
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(
    `POST /v1/batches/${batchId}/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
      `content-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n${lines(10)}`,
  );
  socket.resume();
  await new Promise((resolve) => socket.on('close', resolve));
  await eventually(async () => (await server.upload(batchId, lines(1))).status === 200);
  expect(await total(batchId)).toBe(1);
});
