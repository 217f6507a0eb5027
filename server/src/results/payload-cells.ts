import { jsonCell } from './csv-cell.ts';
import { learnShape, type PayloadShape } from './payload-shape.ts';
import { pointerReader } from './pointer.ts';

/** Rows that are parsed before cutting must have been of use. */
const FREE_TRIES = 20;
/** Each row of none of them has been tried with all of them in vain. */
const MOST_SHAPES = 4;

/**
 * Reads the cells of some columns, given as JSON pointers, from the text of a payload. Rows of one upload mostly
 * look alike but for their values, or are of a few kinds: then those are cut out of the text, and
 * only rows of another shape are parsed.
 */
export function payloadCells(paths: readonly string[]): (text: string) => string[] {
  const readers = paths.map(pointerReader);
  const shapes: PayloadShape[] = [];
  let cut = 0;
  let parsed = 0;
  return (text) => {
    const isWorthIt = parsed < FREE_TRIES + cut;
    for (const shape of isWorthIt ? shapes : []) {
      const known = shape(text);
      if (known === undefined) continue;
      cut += 1;
      return known;
    }
    parsed += 1;
    const payload: unknown = JSON.parse(text);
    const cells = readers.map((reader) => jsonCell(reader(payload)));
    if (isWorthIt && shapes.length < MOST_SHAPES) {
      const learnt = learnShape(text, paths);
      if (learnt !== undefined && readsAsParsed(learnt, text, cells)) shapes.push(learnt);
    }
    return cells;
  };
}

/** A shape is used only if it reads the row that it was learnt from as the parser does. */
function readsAsParsed(shape: PayloadShape, text: string, cells: readonly string[]): boolean {
  const own = shape(text);
  return own?.every((cell, index) => cell === cells[index]) === true;
}
