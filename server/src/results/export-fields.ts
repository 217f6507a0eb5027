import type { ResultRow } from '@batchsender/core';

/** What an export adds to the columns of the user, in this order. */
const EXPORT_FIELDS = [
  'id',
  'seq',
  'state',
  'code',
  'message',
  'ref',
  'delivery',
  'attempts',
  'possibleDuplicate',
  'at',
  'settledAt',
] as const satisfies readonly (keyof ResultRow)[];

/** The names of our columns, in order: with as many underscores as keep them apart from the user's. */
export function exportColumns(userColumns: readonly string[]): string[] {
  const taken = new Set(userColumns);
  let prefix = 'bs_';
  while (EXPORT_FIELDS.some((field) => taken.has(prefix + field))) prefix += '_';
  return EXPORT_FIELDS.map((field) => prefix + field);
}

/** True for a column that an export has added, when its file is uploaded again. */
export function isExportColumn(name: string): boolean {
  const field = /^bs_+(.*)$/.exec(name)?.[1];
  return EXPORT_FIELDS.some((known) => known === field);
}
