import { escapePointer } from '@batchsender/core/plugin';
import { quotedText, textCell } from './csv-cell.ts';

/** Reads the cells of a payload that has the shape; undefined if this one has another. */
export type PayloadShape = (text: string) => string[] | undefined;

/** A value that differs from row to row, and what stands before it. */
interface Hole {
  readonly before: string;
  readonly isText: boolean;
}

/** A text that is the same in each row, or the number of a hole. */
type Part = string | number;

const MOST_HOLES = 200;
const MOST_LEVELS = 20;

/** Numbers that JavaScript writes as they stand here, and the words of JSON. */
const CANONICAL = /^(?!-0$)(?:-?(?:0|[1-9]\d{0,8})(?:\.\d{0,5}[1-9])?|true|false|null)$/;
/** JavaScript puts such fields first. */
const WHOLE_NUMBER = /^\d+$/;
/** What may stand after a number or a word. */
const ENDS: ReadonlySet<number> = new Set([...',]} \t\r\n'].map((end) => end.charCodeAt(0)));

/**
 * The shape of a payload, which must be JSON: its fields, their order and what kind of value each has.
 * Undefined if it has none that can be read so: escapes, a field twice, very many values.
 */
export function learnShape(text: string, paths: readonly string[]): PayloadShape | undefined {
  const scan = new Scan(text);
  if (text.includes('\\') || !scan.read()) return undefined;
  const { holes, tail } = scan;
  const cells = paths.map((path) => cellOf(scan.values.get(path), holes));
  const values: string[] = holes.map(() => '');
  return (row) => {
    if (row.includes('\\')) return undefined;
    let at = 0;
    for (let index = 0; index < holes.length; index++) {
      const { before, isText } = holes[index] as Hole;
      if (!row.startsWith(before, at)) return undefined;
      const from = at + before.length;
      at = endOf(row, from, isText);
      const value = row.slice(from, at);
      if (!isText && !CANONICAL.test(value)) return undefined;
      values[index] = value;
    }
    if (row.length - at !== tail.length || !row.endsWith(tail)) return undefined;
    return cells.map((cell) => cell(values));
  };
}

function endOf(text: string, from: number, isText: boolean): number {
  if (isText) return text.indexOf('"', from);
  let at = from;
  while (at < text.length && !ENDS.has(text.charCodeAt(at))) at += 1;
  return at;
}

type Cell = (values: readonly string[]) => string;

function cellOf(parts: readonly Part[] | undefined, holes: readonly Hole[]): Cell {
  const [only] = parts ?? [];
  if (parts === undefined || only === undefined) return () => '';
  if (typeof only === 'string') return quotedCell(parts, holes);
  if (holes[only]?.isText === true) return (values) => textCell(values[only] ?? '');
  return (values) => (values[only] === 'null' ? '' : (values[only] ?? ''));
}

/** A value of several as JSON in a quoted cell. A text without escapes has nothing that JSON would escape. */
function quotedCell(parts: readonly Part[], holes: readonly Hole[]): Cell {
  const numbers: number[] = [];
  /** What stands before each of them. */
  const before: string[] = [];
  let text = '"';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const quotes = holes[part]?.isText === true ? '""' : '';
    numbers.push(part);
    before.push(text + quotes);
    text = quotes;
  }
  const last = `${text}"`;
  return (values) => {
    let cell = '';
    for (let index = 0; index < numbers.length; index++) {
      cell += `${before[index]}${values[numbers[index] as number]}`;
    }
    return cell + last;
  };
}

/** Goes once through a payload. */
class Scan {
  readonly holes: Hole[] = [];
  /** By JSON pointer. */
  readonly values = new Map<string, readonly Part[]>();
  readonly #text: string;
  #at = 0;
  #written = 0;
  #levels = 0;
  #fits = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** What stands after the last hole. */
  get tail(): string {
    return this.#text.slice(this.#written);
  }

  /** False if it has no shape. */
  read(): boolean {
    this.#value('');
    return this.#fits;
  }

  #value(pointer: string): readonly Part[] {
    this.#space();
    const isTooMuch = this.holes.length > MOST_HOLES || this.#levels > MOST_LEVELS;
    if (isTooMuch || this.values.has(pointer)) this.#fits = false;
    if (!this.#fits) return [];
    this.#levels += 1;
    const parts = this.#parts(pointer);
    this.#levels -= 1;
    this.values.set(pointer, parts);
    this.#space();
    return parts;
  }

  #parts(pointer: string): Part[] {
    const first = this.#text[this.#at];
    if (first === '{') return this.#members('}', () => this.#field(pointer));
    if (first === '[') return this.#members(']', (index) => this.#value(`${pointer}/${index}`));
    return [this.#hole(first === '"')];
  }

  #members(end: string, member: (index: number) => readonly Part[]): Part[] {
    const parts: Part[] = [this.#text[this.#at] ?? ''];
    this.#at += 1;
    this.#space();
    for (let index = 0; this.#fits && this.#text[this.#at] !== end; index++) {
      if (index > 0) {
        parts.push(',');
        this.#at += 1;
      }
      parts.push(...member(index));
    }
    this.#at += 1;
    return [...parts, end];
  }

  #field(pointer: string): readonly Part[] {
    this.#space();
    const end = this.#text.indexOf('"', this.#at + 1);
    const name = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    this.#space();
    this.#at += 1;
    if (WHOLE_NUMBER.test(name)) this.#fits = false;
    return [`${quotedText(name)}:`, ...this.#value(`${pointer}/${escapePointer(name)}`)];
  }

  #hole(isText: boolean): number {
    if (isText) this.#at += 1;
    const before = this.#text.slice(this.#written, this.#at);
    this.#at = endOf(this.#text, this.#at, isText);
    this.#written = this.#at;
    if (isText) this.#at += 1;
    return this.holes.push({ before, isText }) - 1;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}
