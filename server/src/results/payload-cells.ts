import { jsonCell } from './csv-cell.ts';
import { learnShape, type PayloadShape } from './payload-shape.ts';
import { pointerReader } from './pointer.ts';

/** Shapes that are learnt although none has been of use yet. */
const FREE_TRIES = 20;

/**
 * Reads the cells of some columns, given as JSON pointers, from the text of a payload. Rows of one upload mostly
 * look alike but for their values: then those are cut out of the text, and only rows of another
 * shape are parsed.
 */
export function payloadCells(paths: readonly string[]): (text: string) => string[] {
  const readers = paths.map(pointerReader);
  let shape: PayloadShape | undefined;
  let cut = 0;
  let parsed = 0;
  return (text) => {
    const known = shape?.(text);
    if (known !== undefined) {
      cut += 1;
      return known;
    }
    parsed += 1;
    const payload: unknown = JSON.parse(text);
    const cells = readers.map((reader) => jsonCell(reader(payload)));
    // Where no two rows are alike, looking for a shape would be in vain.
    if (parsed < FREE_TRIES + cut) shape = checked(learnShape(text, paths), text, cells) ?? shape;
    return cells;
  };
}

/** A shape is used only if it reads the row that it was learnt from as the parser does. */
function checked(
  shape: PayloadShape | undefined,
  text: string,
  cells: readonly string[],
): PayloadShape | undefined {
  const own = shape?.(text);
  return own?.every((cell, index) => cell === cells[index]) === true ? shape : undefined;
}
