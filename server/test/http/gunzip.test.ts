import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipped } from '../../src/http/gunzip.ts';
import type { HttpProblem } from '../../src/http/problem.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(
  bytes: Buffer,
  limits?: Parameters<typeof gunzipped>[1],
  size = 1_000,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of gunzipped(pieces(bytes, size), limits)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: HttpProblem) => error.code,
  );

test.each([1, 7, 100_000])('gzip comes out as it went in, in pieces of %i bytes', async (size) => {
  const text = Buffer.from('some text, '.repeat(2_000));
  expect((await unpack(gzipSync(text), undefined, size)).equals(text)).toBe(true);
});

test('several members are one text', async () => {
  expect(String(await unpack(Buffer.concat([gzipSync('a'), gzipSync('b')])))).toBe('ab');
});

describe('it is refused', () => {
  const whole = gzipSync('some text, '.repeat(200));
  test.each([
    ['plain text', Buffer.from('{"to":"a"}')],
    ['nothing', Buffer.alloc(0)],
    ['an end that is missing', whole.subarray(0, -1)],
    ['a checksum that is wrong', Buffer.from(whole).fill(0, whole.length - 8, whole.length - 4)],
    ['text behind it', Buffer.concat([whole, Buffer.from('and more text')])],
  ])('for %s', async (_name, bytes) => {
    expect(await codeOf(unpack(bytes))).toBe('invalid_compression');
  });

  test('if it expands too much, without being unpacked first', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    let bytes = 0;
    const work = (async () => {
      for await (const chunk of gunzipped(pieces(bomb, 1_000))) bytes += chunk.length;
    })();
    expect(await codeOf(work)).toBe('expands_too_much');
    expect(bytes).toBeLessThanOrEqual(200 * bomb.length);
    expect(await codeOf(unpack(gzipSync(Buffer.alloc(900_000))))).toBe('taken');
  });
});

test('an error of the source is passed on', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield gzipSync('a').subarray(0, 5);
    throw new Error('cut');
  }
  const work = async (): Promise<void> => {
    for await (const _chunk of gunzipped(broken()));
  };
  await expect(work()).rejects.toThrow('cut');
});

test('a reader that stops does not wait for a source that is silent', async () => {
  async function* silent(): AsyncGenerator<Buffer> {
    yield gzipSync(Buffer.alloc(100_000));
    await new Promise(() => undefined);
  }
  for await (const _chunk of gunzipped(silent())) break;
});
