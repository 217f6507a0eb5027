import { escapePointer, type TSchema } from '../../plugin/index.ts';
import type { ResultColumn } from '../results.ts';

/** Columns that a batch keeps; what an upload has beyond them is exported as NDJSON only. */
export const MAX_COLUMNS = 1_000;

/**
 * The columns of a batch after another upload: those of the first one, then what is new. A column
 * is known by its path. If its name is taken by another path, its path becomes its name.
 */
export function mergeColumns(
  known: readonly ResultColumn[],
  added: readonly ResultColumn[],
): readonly ResultColumn[] {
  const merged = [...known];
  const paths = new Set(known.map(({ path }) => path));
  const names = new Set(known.map(({ name }) => name));
  for (const { name, path } of added) {
    if (paths.has(path) || merged.length >= MAX_COLUMNS) continue;
    const column = { name: names.has(name) ? path : name, path };
    merged.push(column);
    paths.add(path);
    names.add(column.name);
  }
  return merged;
}

/** The columns of a batch that no CSV was uploaded into: the fields of its schema, in their order. */
export function schemaColumns(schema: TSchema | undefined): readonly ResultColumn[] {
  const { properties } = (schema ?? {}) as { properties?: Readonly<Record<string, unknown>> };
  const names = Object.keys(properties ?? {});
  // A schema without fields, or a plugin that is gone: the whole payload in one column.
  if (names.length === 0) return [{ name: 'payload', path: '' }];
  return names.map((name) => ({ name, path: `/${escapePointer(name)}` }));
}
