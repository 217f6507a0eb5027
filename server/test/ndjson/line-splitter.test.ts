import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LineError } from '../../src/ndjson/line-error.ts';
import { LineSplitter } from '../../src/ndjson/line-splitter.ts';

const fail = (error: LineError): never => {
  throw error;
};

/** Splits chunks; answers the lines, or the error's line and code. */
function split(chunks: readonly (Buffer | string)[], maxLineBytes = 1_000): unknown {
  const lines: [number, string][] = [];
  const splitter = new LineSplitter(maxLineBytes, (text, line) => lines.push([line, text]), fail);
  try {
    for (const chunk of chunks) splitter.push(Buffer.from(chunk));
    splitter.end();
  } catch (error) {
    const { line, code } = error as LineError;
    return { line, code };
  }
  return lines;
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

test('lines keep their numbers, and blank ones are left out', () => {
  expect(split(['a\n\n  \nb\r\n\t\nc'])).toEqual([
    [1, 'a'],
    [4, 'b'],
    [6, 'c'],
  ]);
});

test('the last line needs no line feed', () => {
  expect(split(['a\nb'])).toEqual(split(['a\nb\n']));
});

test('a byte order mark at the start is taken off, also when a chunk ends within it', () => {
  const bytes = Buffer.from('\ufeffa\nb');
  expect(split([bytes.subarray(0, 2), bytes.subarray(2)])).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
});

test('chunks may end anywhere, in a line or in a character', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ' '));
  const content = fc.tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean());
  fc.assert(
    fc.property(content, fc.array(fc.nat()), ([lines, ending, hasBom], places) => {
      const text = (hasBom ? '\ufeff' : '') + lines.join(ending);
      const whole = split([text]);
      expect(split(cut(Buffer.from(text), places))).toEqual(whole);
      const expected = lines
        .map((value, index) => [index + 1, index === 0 && !hasBom ? value.replace(/^\ufeff/, '') : value])
        .filter(([, value]) => !/^[ \t\r]*$/.test(String(value)));
      expect(whole).toEqual(expected);
    }),
  );
});

test('a line of exactly the longest length passes, one byte more is refused', () => {
  expect(split([`${'x'.repeat(100)}\r\n`, 'y'], 100)).toHaveLength(2);
  expect(split(['ok\n', `${'x'.repeat(101)}\n`], 100)).toEqual({ line: 2, code: 'line_too_long' });
  expect(split(['ok\n', 'x'.repeat(101)], 100)).toEqual({ line: 2, code: 'line_too_long' });
  expect(split(['ok\n', 'x'.repeat(60), `${'x'.repeat(41)}\n`], 100)).toEqual({
    line: 2,
    code: 'line_too_long',
  });
});

test('a line without an end is refused before it fills the memory', () => {
  const splitter = new LineSplitter(1_000, () => undefined, fail);
  const chunk = Buffer.alloc(400, 'x');
  splitter.push(chunk);
  splitter.push(chunk);
  expect(() => splitter.push(chunk)).toThrow(/more than 1000 bytes/);
});

test('invalid UTF-8 is refused with its line, wherever the chunks end', () => {
  const bytes = Buffer.concat([Buffer.from('ä\nö\n"'), Buffer.from([0xc3, 0x28]), Buffer.from('"\nü\n')]);
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual({ line: 3, code: 'invalid_utf8' });
  }
});

test('a cut character at the end is invalid', () => {
  expect(split([Buffer.from([0x22, 0xe2, 0x82])])).toEqual({ line: 1, code: 'invalid_utf8' });
});

describe('where bad lines are skipped', () => {
  const tell = (chunks: readonly Buffer[], maxLineBytes: number): unknown[] => {
    const told: unknown[] = [];
    const splitter = new LineSplitter(
      maxLineBytes,
      (text, line) => told.push([line, text]),
      ({ line, code }) => told.push([line, code]),
    );
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return told;
  };

  test('each is told by its number, in order, and the others are handed on, wherever the chunks end', () => {
    const long = 'x'.repeat(50);
    const bytes = Buffer.concat([
      Buffer.from(`${long}\na\n\n${long}\r\n${long}\nb\n"`),
      Buffer.from([0xc3, 0x28]),
      Buffer.from(`\nü\n${long}`),
    ]);
    const expected = [
      [1, 'line_too_long'],
      [2, 'a'],
      [4, 'line_too_long'],
      [5, 'line_too_long'],
      [6, 'b'],
      [7, 'invalid_utf8'],
      [8, 'ü'],
      [9, 'line_too_long'],
    ];
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(tell([bytes.subarray(0, at), bytes.subarray(at)], 20)).toEqual(expected);
    }
    fc.assert(
      fc.property(fc.array(fc.nat()), (places) => {
        expect(tell(cut(bytes, places), 20)).toEqual(expected);
      }),
    );
  });

  test('a line that is far too long is told once, and never kept', () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    const before = process.memoryUsage().arrayBuffers;
    const chunks = [...Array<Buffer>(500).fill(piece), Buffer.from('\nb\n')];
    expect(tell(chunks, 100_000)).toEqual([
      [1, 'line_too_long'],
      [2, 'b'],
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });
});
