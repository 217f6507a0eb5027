import { isAscii, isUtf8 } from 'node:buffer';
import { LineError } from './line-error.ts';

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Takes a line without its end, and the line's number from 1. */
export type LineSink = (text: string, line: number) => void;

/** Takes what is wrong with a line that cannot be handed on. What it throws ends the work. */
export type BadLineSink = (error: LineError) => void;

/**
 * Cuts chunks of bytes into lines. A chunk may end anywhere, in a line or in a character. Memory
 * stays under one chunk and one line: of a line that is too long, the rest is passed over unread.
 * Blank lines are counted but not handed on, CRLF and a byte order mark at the start are tolerated.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #sink: LineSink;
  readonly #badSink: BadLineSink;
  /** The beginning of a line whose end has not come yet; grows by doubling. */
  #carry = Buffer.alloc(0);
  #carried = 0;
  #lines = 0;
  /** Inside a line that is too long: passed over up to its end. */
  #isPassing = false;

  constructor(maxLineBytes: number, sink: LineSink, badSink: BadLineSink) {
    this.#maxLineBytes = maxLineBytes;
    this.#sink = sink;
    this.#badSink = badSink;
  }

  /** Hands on the lines that end in the chunk; the sinks are called in the order of the lines. */
  push(chunk: Buffer): void {
    const last = chunk.lastIndexOf(LF);
    let start = 0;
    if (last !== -1 && (this.#carried > 0 || this.#isPassing)) {
      start = chunk.indexOf(LF) + 1;
      this.#keep(chunk, 0, start);
      this.#endCarry();
    }
    if (last >= start) this.#block(chunk, start, last + 1);
    if (last + 1 < chunk.length) this.#keep(chunk, last + 1, chunk.length);
  }

  /** The input is over: what is left is the last line. */
  end(): void {
    if (this.#carried > 0) this.#endCarry();
  }

  #endCarry(): void {
    this.#isPassing = false;
    const end = this.#carried;
    this.#carried = 0;
    if (end > 0) this.#block(this.#carry, 0, end);
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#isPassing) return;
    const size = this.#carried + end - start;
    // Checked here and not at the line's end, which may never come. One for LF, one for CR.
    if (size > this.#maxLineBytes + 2) {
      this.#isPassing = true;
      this.#carried = 0;
      this.#tooLong(++this.#lines);
      return;
    }
    if (size > this.#carry.length) {
      const grown = Buffer.allocUnsafe(
        Math.max(size, Math.min(2 * this.#carry.length, this.#maxLineBytes + 2)),
      );
      this.#carry.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carried, start, end);
    this.#carried = size;
  }

  /** Hands on the whole lines of a block. */
  #block(bytes: Buffer, from: number, to: number): void {
    const start = this.#lines === 0 && bytes.subarray(from, from + 3).equals(BOM) ? from + 3 : from;
    const block = bytes.subarray(start, to);
    // One check for the block: a line end is never inside a character.
    const encoding = isAscii(block) ? 'latin1' : 'utf8';
    const isValid = encoding === 'latin1' || isUtf8(block);
    for (let at = 0; at < block.length; ) {
      const newline = block.indexOf(LF, at);
      const end = newline === -1 ? block.length : newline;
      this.#line(block, at, end, encoding, isValid);
      at = end + 1;
    }
  }

  #line(block: Buffer, start: number, lineEnd: number, encoding: 'latin1' | 'utf8', isValid: boolean): void {
    const line = ++this.#lines;
    const end = lineEnd > start && block[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (end === start) return;
    if (end - start > this.#maxLineBytes) {
      this.#tooLong(line);
      return;
    }
    if (!isValid && !isUtf8(block.subarray(start, end))) {
      this.#badSink(new LineError(line, 'invalid_utf8', 'It is not valid UTF-8. Save the file as UTF-8.'));
      return;
    }
    const text = block.toString(encoding, start, end);
    if (isBlank(text)) return;
    this.#sink(text, line);
  }

  #tooLong(line: number): void {
    const message = `It has more than ${this.#maxLineBytes} bytes. Each job is one line, ended by a line feed.`;
    this.#badSink(new LineError(line, 'line_too_long', message));
  }
}

// Almost every line begins with a brace, so the expression is seldom run.
const isBlank = (text: string): boolean => text.charCodeAt(0) <= 0x20 && /^[ \t\r]*$/.test(text);
