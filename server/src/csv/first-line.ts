import { LineError } from '../ndjson/line-error.ts';
import { detectDelimiter, separatorLine } from './delimiter.ts';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** What the first lines of a file tell: how its cells are parted, and where the header is. */
export interface Beginning {
  readonly delimiter: string;
  /** The header line and what came after it so far. */
  readonly text: string;
  /** Line of the file at which the header begins, from 1. */
  readonly line: number;
}

/** Collects text until the header line is whole. Blank lines and Excel's `sep=;` before it are left out. */
export class FirstLine {
  readonly #given: string | undefined;
  readonly #maxChars: number;
  #separator: string | undefined;
  /** Pieces of the line that has not ended yet. */
  #pieces: string[] = [];
  #chars = 0;
  #line = 1;
  #isQuoted = false;
  #wasCr = false;

  /** `given` is a delimiter that the caller named. */
  constructor(given: string | undefined, maxChars: number) {
    this.#given = given;
    this.#maxChars = maxChars;
  }

  /** Takes text; undefined until the header has ended. @throws LineError `line_too_long`. */
  push(text: string): Beginning | undefined {
    let start = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      if (char === LF && this.#wasCr) start = at + 1;
      this.#wasCr = char === CR;
      if (char === QUOTE) this.#isQuoted = !this.#isQuoted;
      if (this.#isQuoted || (char !== CR && (char !== LF || start === at + 1))) continue;
      const line = this.#take(text.slice(start, at));
      if (!this.#isSkipped(line)) return this.#beginning(line, text.slice(at));
      this.#line += 1;
      start = at + 1;
    }
    this.#keep(text.slice(start));
    return undefined;
  }

  /** The input is over: what is left is the header. */
  end(): Beginning {
    const line = this.#take('');
    return this.#beginning(this.#isSkipped(line) ? '' : line, '');
  }

  #keep(piece: string): void {
    this.#pieces.push(piece);
    this.#chars += piece.length;
    if (this.#chars <= this.#maxChars) return;
    const message = `The header has more than ${this.#maxChars} characters. The first line must name the columns.`;
    throw new LineError(this.#line, 'line_too_long', message);
  }

  #take(last: string): string {
    const line = this.#pieces.join('') + last;
    this.#pieces = [];
    this.#chars = 0;
    return line;
  }

  #isSkipped(line: string): boolean {
    if (line.trim() === '') return true;
    if (this.#line === 1) this.#separator = separatorLine(line);
    return this.#line === 1 && this.#separator !== undefined;
  }

  #beginning(header: string, rest: string): Beginning {
    const delimiter = this.#given ?? this.#separator ?? detectDelimiter(header);
    return { delimiter, text: header + rest, line: this.#line };
  }
}
