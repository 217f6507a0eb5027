import type { JobPayload } from '@batchsender/core/plugin';
import { type CellValue, cellValue } from './cell-value.ts';
import { pointerOf } from './check-columns.ts';
import type { Column } from './columns.ts';

/** Makes a payload of a row's cells. @throws CellError. */
export type RowBuilder = (cells: readonly string[]) => JobPayload;

interface Leaf {
  readonly index: number;
  readonly key: string;
  readonly read: CellValue;
}

interface Branch {
  readonly key: string;
  readonly leaves: Leaf[];
  readonly branches: Branch[];
}

/** Compiles the columns of a file, once. An empty cell leaves its field out. */
export function rowBuilder(columns: readonly Column[]): RowBuilder {
  const root: Branch = { key: '', leaves: [], branches: [] };
  for (const { index, path, schema } of columns) {
    const branch = path.slice(0, -1).reduce(branchOf, root);
    branch.leaves.push({ index, key: path.at(-1) as string, read: cellValue(schema, pointerOf(path)) });
  }
  return (cells) => build(root, cells) ?? {};
}

function branchOf(parent: Branch, key: string): Branch {
  let branch = parent.branches.find((one) => one.key === key);
  if (branch === undefined) {
    branch = { key, leaves: [], branches: [] };
    parent.branches.push(branch);
  }
  return branch;
}

/** Undefined if nothing is in it. */
function build({ leaves, branches }: Branch, cells: readonly string[]): JobPayload | undefined {
  let made: Record<string, unknown> | undefined;
  for (const { index, key, read } of leaves) {
    const text = cells[index] as string;
    if (text === '') continue;
    made ??= {};
    made[key] = read(text);
  }
  for (const branch of branches) {
    const inner = build(branch, cells);
    if (inner === undefined) continue;
    made ??= {};
    made[branch.key] = inner;
  }
  return made;
}
