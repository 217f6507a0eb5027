import { expect, test } from 'vitest';
import type { HttpProblem } from '../../src/http/problem.ts';
import { receiveNdjson } from '../../src/ndjson/receive.ts';
import { CollectingUpload } from '../helpers/collecting-upload.ts';

const options = { maxLineBytes: 1_000, sliceRows: 10 };

async function* chunked(text: string, size = 64): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const lines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${JSON.stringify({ n: index })}\n`).join('');

async function failureOf(text: string, upload = new CollectingUpload()): Promise<HttpProblem> {
  try {
    await receiveNdjson(chunked(text), upload, options);
  } catch (error) {
    expect(upload.isBusy).toBe(false);
    return error as HttpProblem;
  }
  throw new Error('it was taken');
}

test('all rows arrive in order, each with its text', async () => {
  const upload = new CollectingUpload();
  await receiveNdjson(chunked(lines(95)), upload, options);
  expect(upload.sizes).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
  expect(upload.rows.map(({ payload }) => payload['n'])).toEqual(
    Array.from({ length: 95 }, (_, index) => index),
  );
  for (const { payload, text } of upload.rows) expect(JSON.parse(text ?? '')).toEqual(payload);
});

test('malformed JSON is named by its line, blank lines counted', async () => {
  const problem = await failureOf(`${lines(33)}\n\n{"n":\n${lines(5)}`);
  expect(problem.code).toBe('invalid_line');
  expect(problem.errors).toEqual([
    { line: 36, path: '', code: 'malformed_json', message: 'It is not valid JSON, from column 6 on.' },
  ]);
});

test('an invalid payload is named by its line, not by its index', async () => {
  const problem = await failureOf(`\n${lines(20)}\n\n{"bad":true}\n${lines(100)}`);
  expect(problem.code).toBe('invalid_payload');
  expect(problem.errors).toEqual([{ line: 24, path: '/bad', code: 'invalid_value', message: 'It is bad.' }]);
  expect(problem.message).toBe('Line 24, /bad: It is bad. Nothing was stored.');
});

test('an invalid payload before a malformed line is named first', async () => {
  const problem = await failureOf(`${lines(3)}{"bad":true}\n${lines(2)}nonsense\n`);
  expect(problem.errors?.[0]).toMatchObject({ line: 4, code: 'invalid_value' });
});

test('after a bad line little more is read', async () => {
  let served = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      served += 1;
      yield Buffer.from(served === 3 ? '{"bad":true}\n' : lines(10));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await expect(receiveNdjson(endless(), new CollectingUpload(), options)).rejects.toMatchObject({
    code: 'invalid_payload',
  });
  expect(served).toBeLessThan(6);
});

test('an error of the source is passed on when no write is under way', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from(lines(25));
    throw new Error('cut');
  }
  const upload = new CollectingUpload();
  await expect(receiveNdjson(broken(), upload, options)).rejects.toThrow('cut');
  expect(upload.isBusy).toBe(false);
});

test('a failure that is no invalid row is passed on as it is', async () => {
  const failing = { write: () => Promise.reject(new Error('database')) };
  await expect(receiveNdjson(chunked(lines(25)), failing, options)).rejects.toThrow('database');
});

test('lines that are skipped are told in their order, whatever is wrong with them', async () => {
  const upload = new CollectingUpload('skip');
  const deep = `{"n":${'['.repeat(250)}${']'.repeat(250)}}`;
  const bad = ['nonsense', '{"bad":true}', '7', '{"__proto__":{}}', deep, `{"n":"${'x'.repeat(1_000)}"}`];
  const text = bad.map((line) => `${lines(4)}${line}\n`).join('\n');
  await receiveNdjson(chunked(text), upload, { ...options, onInvalid: 'skip' });
  expect(upload.skipped).toEqual([
    [5, 'malformed_json'],
    [11, 'invalid_value'],
    [17, 'not_an_object'],
    [23, 'forbidden_key'],
    [29, 'too_deep'],
    [35, 'line_too_long'],
  ]);
  expect(upload.rows).toHaveLength(24);
  // Bad lines fill slices as others do: they are not piled up.
  expect(upload.sizes).toEqual([10, 10, 10]);
});
