import type { ResultColumn, ResultRow } from '@batchsender/core';
import { jsonCell, textCell } from './csv-cell.ts';
import { exportColumns } from './export-fields.ts';
import { isoTimes } from './iso-time.ts';
import { payloadCells } from './payload-cells.ts';
import type { ResultFormat } from './result-format.ts';

const BOM = '\uFEFF';

/**
 * Results as CSV by RFC 4180, in UTF-8 with CRLF: the user's columns under their own names, then
 * ours, whose names begin with `bs_`. So a file can be mended and uploaded again.
 *
 * Written by hand: for the same bytes csv-stringify 6.9 took 14.9 microseconds a row of 17 cells, this
 * 5.3 when it was written (parsing the payload included), and it has no exception for plain numbers.
 */
export function csvFormat(columns: readonly ResultColumn[], options: { bom: boolean }): ResultFormat {
  const cells = payloadCells(columns.map(({ path }) => path));
  const iso = isoTimes();
  const time = (at: Date | null): string => (at === null ? '' : iso(at));
  const row = (result: ResultRow): string => {
    const { id, seq, state, attempts, possibleDuplicate, at, settledAt } = result;
    const line = cells(result.payloadText);
    line.push(id, `${seq}`, state, jsonCell(result.code), jsonCell(result.message), jsonCell(result.ref));
    line.push(jsonCell(result.delivery), `${attempts}`, `${possibleDuplicate}`, time(at), time(settledAt));
    return line.join(',');
  };
  return {
    start: (options.bom ? BOM : '') + header(columns),
    // Joined, not added up: the garbage of a text that grew by 20 pieces a row cost as much as all the rest.
    rows: (block) => (block.length === 0 ? '' : `${block.map(row).join('\r\n')}\r\n`),
  };
}

function header(columns: readonly ResultColumn[]): string {
  const own = columns.map(({ name }) => name);
  const names = [...own, ...exportColumns(own)];
  return `${names.map(textCell).join(',')}\r\n`;
}
