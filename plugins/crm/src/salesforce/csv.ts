import type { Row } from './rows.ts';

/** Rows as CSV (RFC 4180) with LF, commas, and the columns of all rows together. */
export function toCsv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns.map(cell).join(',')];
  for (const row of rows) lines.push(columns.map((column) => cell(row[column] ?? '')).join(','));
  return `${lines.join('\n')}\n`;
}

const cell = (text: string): string =>
  /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * Reads CSV with a header row. jsforce's own reader takes semicolons, bars and tabs for commas too,
 * which may stand in a value.
 * @throws Error if a quote is not closed.
 */
export function parseCsv(text: string): Row[] {
  const [header, ...lines] = readLines(text);
  if (header === undefined) return [];
  return lines
    .filter((cells) => cells.length > 1 || cells[0] !== '')
    .map((cells) => Object.fromEntries(header.map((column, index) => [column, cells[index] ?? ''])));
}

function readLines(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const { value, end } = text[at] === '"' ? quoted(text, at + 1) : plain(text, at);
    cells.push(value);
    at = end;
    if (text[at] === ',') {
      at++;
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue;
      cells.push('');
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    lines.push(cells);
    cells = [];
  }
  return lines;
}

function plain(text: string, from: number): { value: string; end: number } {
  const end = /[,\r\n]/g;
  end.lastIndex = from;
  const found = end.exec(text)?.index ?? text.length;
  return { value: text.slice(from, found), end: found };
}

function quoted(text: string, from: number): { value: string; end: number } {
  let value = '';
  for (let at = from; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new Error('a quote is not closed');
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}
