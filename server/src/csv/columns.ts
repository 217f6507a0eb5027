import { isExportColumn } from '../results/export-fields.ts';
import type { ColumnError } from './column-error.ts';
import { beginsDeclared, type Field, findDeclared, findField } from './field-path.ts';
import { fieldNames, fieldSchema, type Schema } from './schema-shape.ts';

/** A column whose cells go into the payload. */
export interface Column extends Field {
  /** Its place in a row, from 0. */
  readonly index: number;
  /** As in the header. */
  readonly name: string;
}

/** Where columns may lead. */
export interface ColumnTarget {
  /** The module's payload schema. */
  readonly schema: Schema;
  /** Field by column, as the caller asked; an empty field leaves the column out. */
  readonly map: ReadonlyMap<string, string>;
}

/** Deepest nesting that a column's name may mean. */
const MAX_LEVELS = 50;

/** Most columns of a file. */
const MAX_COLUMNS = 1_000;

/** Finds the field of each column by its name. Blanks around a name do not count. */
export function findColumns(
  header: readonly string[],
  target: ColumnTarget,
): { columns: Column[]; errors: ColumnError[] } {
  const columns: Column[] = [];
  const errors = headerErrors(header, target);
  if (errors.length > 0) return { columns, errors };
  for (const [index, name] of header.entries()) {
    const found = columnField(name.trim(), target);
    if (found === 'ignored') continue;
    if ('code' in found) errors.push(found);
    else columns.push({ ...found, index, name });
  }
  return { columns, errors };
}

function headerErrors(header: readonly string[], { map }: ColumnTarget): ColumnError[] {
  if (header.length > MAX_COLUMNS) {
    const message = `It has ${header.length} columns. There may be ${MAX_COLUMNS}.`;
    return [{ code: 'too_many_columns', message }];
  }
  const names = header.map((name) => name.trim());
  const seen = new Set<string>();
  const errors: ColumnError[] = [];
  for (const [index, name] of names.entries()) {
    if (name === '') {
      errors.push({
        code: 'empty_column',
        message: `Column ${index + 1} has no name. Name it, or take it out.`,
      });
    } else if (seen.has(name)) {
      errors.push({
        code: 'duplicate_column',
        message: `The column ${quoted(name)} is there twice. Rename or remove one.`,
      });
    }
    seen.add(name);
  }
  for (const name of map.keys()) {
    if (!seen.has(name)) {
      const message = `There is no column ${quoted(name)}, which "map.${name}" names. The columns are ${list(names)}.`;
      errors.push({ code: 'unknown_column', message });
    }
  }
  return errors;
}

function columnField(name: string, { schema, map }: ColumnTarget): Field | ColumnError | 'ignored' {
  const wanted = map.get(name);
  if (wanted === '' || (wanted === undefined && isExportColumn(name))) return 'ignored';
  if ((wanted ?? name).split('.').length > MAX_LEVELS) return unknownColumn(name, wanted, schema);
  const found = wanted === undefined ? fieldByName(schema, name) : findField(schema, wanted);
  if (found === undefined) return unknownColumn(name, wanted, schema);
  return isForbidden(found.path) ? forbidden(name) : found;
}

/** By the fields of the schema; what names none is a variable, where the schema has variables. */
function fieldByName(schema: Schema, name: string): Field | undefined {
  const declared = findDeclared(schema, name);
  // `record.Emial` is a slip, and no variable.
  if (declared !== undefined || beginsDeclared(schema, name)) return declared;
  if (!fieldNames(schema).includes('variables')) return findField(schema, name);
  const variable = fieldSchema(fieldSchema(schema, 'variables') as Schema, name);
  return variable === undefined ? undefined : { path: ['variables', name], schema: variable };
}

function unknownColumn(name: string, wanted: string | undefined, schema: Schema): ColumnError {
  const what =
    wanted === undefined
      ? `The column ${quoted(name)} names no field`
      : `The field ${quoted(wanted)}, to which the column ${quoted(name)} is mapped, does not exist`;
  const remedy =
    name.length > 80
      ? 'Rename it.'
      : `Rename it, or add ?map.${name}=<field>, or ?map.${name}= to leave it out.`;
  return {
    code: 'unknown_column',
    message: `${what}. The fields are ${list(fieldNames(schema))}. ${remedy}`,
  };
}

// As in NDJSON, whose parser refuses these keys.
const isForbidden = (path: readonly string[]): boolean =>
  path.includes('__proto__') ||
  path.some((name, index) => name === 'constructor' && path[index + 1] === 'prototype');

const forbidden = (name: string): ColumnError => ({
  code: 'forbidden_key',
  message: `The column ${quoted(name)} leads to a key that is not allowed. Rename it, or map it to another field.`,
});

/** A name in an error, cut where it is long. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

/** Names in an error, the first of them. */
export const list = (names: readonly string[]): string =>
  names.slice(0, 30).map(quoted).join(', ') + (names.length > 30 ? ', …' : '');
