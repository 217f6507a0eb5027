import { styleText } from 'node:util';
import { cut } from './table.ts';

/** Columns where the output is no terminal. */
const DEFAULT_COLUMNS = 120;

/** Where the demo writes: lines, and a few lines that are drawn again while they change. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #redrawn = 0;
  #step = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Whether lines can be drawn again. */
  get live(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Width in columns. */
  get columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  line(text = ''): void {
    this.#redrawn = 0;
    this.#stream.write(`${text}\n`);
  }

  /** The headline of the next step. */
  headline(text: string): void {
    this.#step += 1;
    this.line();
    this.line(this.paint('bold', `${this.#step}  ${text}`));
  }

  /** A step that is done. */
  done(text: string): void {
    this.line(`  ${this.paint('green', '✓')} ${text}`);
  }

  /** Draws plain lines over those that were drawn last, on a terminal. A line that wrapped would spoil the next drawing. */
  redraw(lines: readonly string[]): void {
    const up = this.#redrawn === 0 ? '' : `\u001B[${this.#redrawn}A`;
    this.#stream.write(up + lines.map((text) => `\u001B[2K${cut(text, this.columns - 1)}\n`).join(''));
    this.#redrawn = lines.length;
  }

  /** Colours a text, unless the output is no terminal or NO_COLOR is set. */
  paint(style: 'bold' | 'green' | 'red' | 'yellow' | 'dim', text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}
