import { escapePointer } from '@batchsender/core/plugin';
import type { ColumnError } from './column-error.ts';
import { type Column, list, quoted } from './columns.ts';
import { requiredNames, type Schema } from './schema-shape.ts';

/** The JSON pointer of a path. */
export const pointerOf = (path: readonly string[]): string =>
  path.map((name) => `/${escapePointer(name)}`).join('');

/** Two columns that would fill the same place, or one a place inside the other's. */
export function clashes(columns: readonly Column[]): ColumnError[] {
  const byPointer = new Map<string, Column>();
  const errors: ColumnError[] = [];
  for (const column of columns) {
    const pointer = pointerOf(column.path);
    const other = byPointer.get(pointer);
    if (other === undefined) byPointer.set(pointer, column);
    else errors.push(clash(other, column, pointer));
  }
  for (const column of columns) {
    const outer = column.path.slice(0, -1).map((_, depth) => pointerOf(column.path.slice(0, depth + 1)));
    const other = outer.map((pointer) => byPointer.get(pointer)).find((one) => one !== undefined);
    if (other !== undefined) errors.push(clash(other, column, pointerOf(other.path)));
  }
  return errors;
}

function clash(one: Column, other: Column, path: string): ColumnError {
  const names = `${quoted(one.name.trim())} and ${quoted(other.name.trim())}`;
  const message = `The columns ${names} both fill the field ${path}. Leave one out: ?map.<column>=`;
  return { code: 'duplicate_column', message, path };
}

/** Fields that each payload must have, and that neither a column nor the batch's defaults bring. */
export function missing(
  columns: readonly Column[],
  schema: Schema,
  defaults: Readonly<Record<string, unknown>> | null,
): ColumnError[] {
  const brought = new Set(columns.map(({ path }) => path[0]));
  return requiredNames(schema)
    .filter((name) => !brought.has(name) && !Object.hasOwn(defaults ?? {}, name))
    .map((name) => ({
      code: 'missing_column',
      path: pointerOf([name]),
      message:
        `No column brings the field ${quoted(name)}, which every job needs. The columns are ` +
        `${list(columns.map((column) => column.name.trim()))}. Name one ${quoted(name)}, add ` +
        `?map.<column>=${name}, or set it in the batch's defaults.`,
    }));
}
