import { LineError } from '../ndjson/line-error.ts';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** How rows are told apart, and who takes them. */
export interface RowSplitterOptions {
  /** One UTF-16 unit. */
  readonly delimiter: string;
  /** Longest row, in characters. */
  readonly maxRowChars: number;
  /** Line of the file at which the text begins, from 1. */
  readonly line: number;
  /** Takes the cells of a row and the line at which it begins. */
  readonly onRow: (cells: readonly string[], line: number) => void;
  /** Takes what is wrong with a row whose quotes do not fit; the rows after it go on. */
  readonly onBadRow: (error: LineError) => void;
}

/** Where in a cell the next character stands; `quote`: after a quote that may be the closing one. */
type Place = 'start' | 'bare' | 'quoted' | 'quote';

/**
 * Cuts text into rows of cells, by RFC 4180: cells may be quoted, a quote inside is doubled, and
 * quoted cells may hold line ends. A quote inside a cell that is not quoted is text. Lines end by
 * LF, CRLF or CR. Nothing is scanned twice, and memory stays under one piece of text and one row.
 * A blank line is a row of one cell.
 */
export class RowSplitter {
  readonly #options: RowSplitterOptions;
  readonly #delimiter: number;
  #place: Place = 'start';
  #cells: string[] = [];
  #cell = '';
  /** The cell has text before a quote; asked once a cell. */
  #hasText = false;
  /** The line that the text has come to, and the one at which the row began. */
  #line: number;
  #rowLine: number;
  /** Characters of the row in earlier pieces, and where it begins in this one. */
  #earlier = 0;
  #rowStart = 0;
  /** A CR was last, at a row's end or in a quoted cell: a LF behind it is no line end of its own. */
  #endedByCr = false;
  #quotedCr = false;
  #bad: LineError | undefined;

  constructor(options: RowSplitterOptions) {
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#line = options.line;
    this.#rowLine = options.line;
  }

  /** The line that the text has come to. */
  get line(): number {
    return this.#line;
  }

  /** @throws LineError `line_too_long`, and what the takers throw. */
  push(text: string): void {
    if (text === '') return;
    this.#rowStart = this.#endedByCr && text.charCodeAt(0) === LF ? 1 : 0;
    this.#endedByCr = false;
    for (let at = this.#rowStart; at < text.length; ) {
      if (this.#place === 'bare') at = this.#bare(text, at);
      else if (this.#place === 'quoted') at = this.#quoted(text, at);
      else if (this.#place === 'quote') at = this.#afterQuote(text, at);
      else at = this.#start(text, at);
    }
    this.#earlier += text.length - this.#rowStart;
    this.#checkSize(0);
  }

  /** The input is over: what is left is the last row. @throws LineError `quote_not_closed`. */
  end(): void {
    if (this.#place === 'quoted') {
      const message = 'A quote that this row opens is never closed. A quote inside a cell is written twice.';
      throw new LineError(this.#rowLine, 'quote_not_closed', message);
    }
    if (this.#place === 'start' && this.#cells.length === 0) return;
    this.#cells.push(this.#cell);
    this.#emit();
  }

  #start(text: string, at: number): number {
    const isQuoted = text.charCodeAt(at) === QUOTE;
    this.#place = isQuoted ? 'quoted' : 'bare';
    return isQuoted ? at + 1 : this.#bare(text, at);
  }

  #bare(text: string, at: number): number {
    const delimiter = this.#delimiter;
    let end = at;
    for (; end < text.length; end += 1) {
      const char = text.charCodeAt(end);
      if (char === delimiter || char === LF || char === CR) break;
      // `37°36'N 12"W` is text; ` "b"`, with a blank before, was meant to be quoted.
      if (char === QUOTE && !this.#hasText) this.#checkQuote(this.#cell + text.slice(at, end));
    }
    this.#cell += text.slice(at, end);
    return end === text.length ? end : this.#endCell(text, end);
  }

  #quoted(text: string, at: number): number {
    const quote = text.indexOf('"', at);
    const piece = text.slice(at, quote === -1 ? text.length : quote);
    this.#cell += piece;
    this.#countLines(piece);
    if (quote === -1) return text.length;
    this.#quotedCr = false;
    this.#place = 'quote';
    return quote + 1;
  }

  #afterQuote(text: string, at: number): number {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      this.#cell += '"';
      this.#place = 'quoted';
      return at + 1;
    }
    if (char === this.#delimiter || char === LF || char === CR) return this.#endCell(text, at);
    this.#stray();
    this.#place = 'bare';
    return at;
  }

  #endCell(text: string, at: number): number {
    this.#cells.push(this.#cell);
    this.#cell = '';
    this.#hasText = false;
    this.#place = 'start';
    const char = text.charCodeAt(at);
    return char === this.#delimiter ? at + 1 : this.#endRow(text, at, char);
  }

  #endRow(text: string, at: number, char: number): number {
    this.#checkSize(at - this.#rowStart);
    this.#emit();
    this.#line += 1;
    this.#rowLine = this.#line;
    this.#endedByCr = char === CR && at + 1 === text.length;
    this.#rowStart = char === CR && text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
    this.#earlier = 0;
    return this.#rowStart;
  }

  #emit(): void {
    const cells = this.#cells;
    const bad = this.#bad;
    this.#cells = [];
    this.#bad = undefined;
    if (bad !== undefined) this.#options.onBadRow(bad);
    else this.#options.onRow(cells, this.#rowLine);
  }

  #countLines(piece: string): void {
    for (let at = 0; at < piece.length; at += 1) {
      const char = piece.charCodeAt(at);
      if (char === CR || (char === LF && !this.#quotedCr)) this.#line += 1;
      this.#quotedCr = char === CR;
    }
  }

  #checkQuote(before: string): void {
    this.#hasText = true;
    if (before.trim() === '') this.#stray();
  }

  #stray(): void {
    this.#bad ??= new LineError(
      this.#rowLine,
      'stray_quote',
      'Text stands before or behind a quoted cell. Quote the whole cell, and write a quote inside it twice.',
    );
  }

  #checkSize(chars: number): void {
    if (this.#earlier + chars <= this.#options.maxRowChars) return;
    const hint = this.#place === 'quoted' ? ' Is a quote in it never closed?' : '';
    const message = `The row has more than ${this.#options.maxRowChars} characters.${hint}`;
    throw new LineError(this.#rowLine, 'line_too_long', message);
  }
}
