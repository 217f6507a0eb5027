/** How a table is written as CSV. */
export interface CsvStyle {
  readonly delimiter: string;
  readonly lineEnd: string;
  /** Decides for each cell whether it is quoted although it need not be. */
  readonly quotes: (place: number) => boolean;
}

/** Writes a table as CSV. */
export function csvText(rows: readonly (readonly string[])[], style: CsvStyle): string {
  let place = 0;
  const text = (cell: string): string => {
    place += 1;
    const mustQuote = cell.includes(style.delimiter) || /["\r\n]/.test(cell);
    return mustQuote || style.quotes(place) ? `"${cell.replaceAll('"', '""')}"` : cell;
  };
  return rows.map((cells) => cells.map(text).join(style.delimiter) + style.lineEnd).join('');
}

/** Cuts text, or bytes, at the given places. */
export function cutText<T extends { length: number; slice(start: number, end: number): T }>(
  text: T,
  places: readonly number[],
): T[] {
  const sorted = [...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
  return sorted.map((end, index) => text.slice(sorted[index - 1] ?? 0, end));
}
