import { isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { windows1252 } from './windows-1252.ts';

/** Bytes that are no text of the encoding. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
  /** The text between the last good chunk and the bad bytes. */
  readonly before: string;
  /** Place of the bad bytes in the input, from 0. */
  readonly offset: number;

  constructor({ before, offset }: { before: string; offset: number }, options?: ErrorOptions) {
    super('The bytes are no text of this encoding.', options);
    this.before = before;
    this.offset = offset;
  }
}

/** The standard's name of an encoding; undefined for one that is not known. */
export function encodingName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** Decodes chunks of bytes strictly. A chunk may end in a character. */
export class Decoder {
  /** By {@link encodingName}. */
  readonly encoding: string;
  readonly #decoder: TextDecoder;
  /** Bytes of a character whose end has not come yet. */
  #held: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(encoding: string) {
    this.encoding = encoding;
    this.#decoder = strict(encoding);
  }

  /** @throws EncodingError */
  push(bytes: Buffer): string {
    const block = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const whole = wholeLength(block, this.encoding);
    this.#held = Buffer.from(block.subarray(whole));
    const text = this.#decode(block.subarray(0, whole));
    this.#offset += whole;
    return text;
  }

  /** @throws EncodingError if the input ends in a character. */
  end(): string {
    if (this.#held.length > 0) throw new EncodingError({ before: '', offset: this.#offset });
    try {
      return this.#decoder.decode();
    } catch (cause) {
      throw new EncodingError({ before: '', offset: this.#offset }, { cause });
    }
  }

  #decode(block: Buffer): string {
    if (this.encoding === 'windows-1252') return windows1252(block);
    // Text of one byte a character is also the fastest to scan.
    if (this.encoding === 'utf-8' && isAscii(block)) return block.toString('latin1');
    if (this.encoding === 'utf-8' && isUtf8(block)) return block.toString();
    try {
      return this.#decoder.decode(block, { stream: true });
    } catch (cause) {
      const good = goodLength(block, this.encoding);
      const before = strict(this.encoding).decode(block.subarray(0, good), { stream: true });
      const offset = this.#offset + sizeOf(before, this.encoding, good);
      throw new EncodingError({ before, offset }, { cause });
    }
  }
}

// A byte order mark is taken off where the text begins, not here.
const strict = (encoding: string): TextDecoder => new TextDecoder(encoding, { fatal: true, ignoreBOM: true });

/** The part of a block that ends with a whole character, as far as that can be seen. */
function wholeLength(block: Buffer, encoding: string): number {
  if (encoding === 'utf-8') return block.length - openUtf8Bytes(block);
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') return block.length;
  const even = block.length - (block.length % 2);
  if (even === 0) return 0;
  const high = block[encoding === 'utf-16le' ? even - 1 : even - 2] ?? 0;
  return high >= 0xd8 && high <= 0xdb ? even - 2 : even;
}

/** How many bytes at the end begin a character of UTF-8 that is longer. */
function openUtf8Bytes(block: Buffer): number {
  for (let back = 1; back <= 3 && back <= block.length; back += 1) {
    const byte = block[block.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < utf8Length(byte) ? back : 0;
  }
  return 0;
}

function utf8Length(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** The bytes of decoded text; `good` where that cannot be told. A bad character shows only at its end. */
function sizeOf(text: string, encoding: string, good: number): number {
  if (encoding === 'utf-8') return Buffer.byteLength(text);
  return encoding.startsWith('utf-16') ? 2 * text.length : good;
}

/** The longest beginning of a block in which nothing bad shows. */
function goodLength(block: Buffer, encoding: string): number {
  let good = 0;
  let bad = block.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      strict(encoding).decode(block.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}
