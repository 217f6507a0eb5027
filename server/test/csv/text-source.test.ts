import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EncodingError } from '../../src/csv/decoder.ts';
import { TextSource } from '../../src/csv/text-source.ts';
import { cutText } from '../helpers/csv-text.ts';

function decode(pieces: readonly Uint8Array[], encoding?: string): string {
  const source = new TextSource(encoding);
  return pieces.map((piece) => source.push(Buffer.from(piece))).join('') + source.end();
}

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

const inAllCuts = (bytes: Buffer, encoding?: string): string[] =>
  Array.from({ length: bytes.length }, (_, at) =>
    decode([bytes.subarray(0, at), bytes.subarray(at)], encoding),
  );

describe('text is decoded, wherever the chunks end,', () => {
  test.each([
    ['of UTF-8', Buffer.from('aé😀'), undefined],
    ['of UTF-8 with a mark', Buffer.from('\ufeffaé😀'), undefined],
    ['of UTF-16LE by its mark', Buffer.from('\ufeffaé😀', 'utf16le'), undefined],
    ['of UTF-16BE by its mark', utf16be('\ufeffaé😀'), undefined],
    ['of UTF-16BE by its name', utf16be('aé😀'), 'utf-16be'],
    ['by its mark against its name', Buffer.from('\ufeffaé😀'), 'windows-1252'],
  ])('%s', (_name, bytes, encoding) => {
    expect(new Set(inAllCuts(bytes, encoding))).toEqual(new Set(['aé😀']));
  });

  test('of windows-1252, the euro sign and quotes included', () => {
    expect(decode([Buffer.from([0x80, 0x93, 0xe9, 0x94, 0x81])], 'windows-1252')).toBe('€“é”\x81');
  });

  test('of iso-8859-2 and Shift_JIS by their tables', () => {
    expect(decode([Buffer.from([0xb1])], 'iso-8859-2')).toBe('ą');
    expect(inAllCuts(Buffer.from([0x93, 0xfa, 0x96, 0x7b]), 'shift_jis')).toContain('日本');
    expect(new Set(inAllCuts(Buffer.from([0x93, 0xfa, 0x96, 0x7b]), 'shift_jis')).size).toBe(1);
  });

  test('whatever it is', () => {
    const any = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(any, fc.array(fc.nat()), fc.boolean(), (text, places, isUtf16) => {
        const bytes: Uint8Array = Buffer.from(`\ufeff${text}`, isUtf16 ? 'utf16le' : 'utf8');
        expect(decode(cutText(bytes, places))).toBe(text);
      }),
    );
  });
});

describe('bytes that are no text are named by their place:', () => {
  test.each([
    ['Latin-1 as UTF-8', Buffer.from('a\nb\xe9c', 'latin1'), undefined, 3],
    ['a character that is cut off', Buffer.from('ab\xc3', 'latin1'), undefined, 2],
    ['an encoded surrogate', Buffer.from('a\xed\xa0\x80', 'latin1'), undefined, 1],
    ['an overlong form', Buffer.from('a\xc0\xafb', 'latin1'), undefined, 1],
    ['a lone surrogate', Buffer.from([0x61, 0, 0, 0xd8, 0x62, 0]), 'utf-16le', 2],
    ['half a unit', Buffer.from([0x61, 0, 0x62]), 'utf-16le', 2],
  ])('%s', (_name, bytes, encoding, offset) => {
    for (let at = 0; at <= bytes.length; at += 1) {
      try {
        decode([bytes.subarray(0, at), bytes.subarray(at)], encoding);
        expect.unreachable();
      } catch (error) {
        expect((error as EncodingError).offset).toBe(offset);
      }
    }
  });
});
