import { benchPayload } from './payload.ts';

/** How rows travel over HTTP. */
export type RowFormat = 'ndjson' | 'csv';

export const MEDIA_TYPES: Readonly<Record<RowFormat, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
};

/** Jobs of one piece of an upload; some 64 kB. */
const ROWS_A_PIECE = 200;

const CSV_HEADER =
  'to,name,order.id,order.total,order.currency,tags,text,variables.name,variables.city,variables.link';

/** The benchmark's payloads as an upload, made while it is sent, so that the sender needs no memory either. */
export function* rows(format: RowFormat, count: number): Generator<Buffer> {
  const row = format === 'csv' ? csvRow : ndjsonRow;
  let text = format === 'csv' ? `${CSV_HEADER}\r\n` : '';
  for (let first = 0; first < count; first += ROWS_A_PIECE) {
    const end = Math.min(first + ROWS_A_PIECE, count);
    for (let index = first; index < end; index++) text += row(index);
    yield Buffer.from(text);
    text = '';
  }
}

function ndjsonRow(index: number): string {
  return `${JSON.stringify(benchPayload(index))}\n`;
}

/** As a spreadsheet writes it: a cell is quoted only where it must be, which here is the list. */
function csvRow(index: number): string {
  const { to, name, order, tags, text, variables } = benchPayload(index);
  const list = `"${JSON.stringify(tags).replaceAll('"', '""')}"`;
  return (
    `${to},${name},${order.id},${order.total},${order.currency},${list},${text},` +
    `${variables.name},${variables.city},${variables.link}\r\n`
  );
}
