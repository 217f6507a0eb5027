import { type Entry, entry } from '../contestants/registry.ts';
import type { BenchDatabase } from '../harness/database.ts';
import { installedVersion } from '../harness/machine.ts';
import type { BenchOptions } from '../harness/options.ts';

/** What every part works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly database: BenchDatabase;
  /** Shows progress on standard error. */
  say(line: string): void;
}

/** Those of the named contestants that are asked for and can run here. */
export function contestants(bench: Bench, names: readonly string[]): Entry[] {
  const wanted = bench.options.contestants;
  return names
    .filter((name) => wanted === undefined || wanted.has(name))
    .map(entry)
    .filter((found) => found.peer === undefined || installedVersion(found.peer) !== undefined);
}

/** Runs A B C A B C A B C, so that a slow minute of the machine hits everybody alike. */
export async function interleaved<T>(
  bench: Bench,
  entries: readonly Entry[],
  one: (contestant: Entry) => Promise<T>,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(entries.map((each) => [each.name, []]));
  for (let round = 1; round <= bench.options.runs; round++) {
    for (const each of entries) {
      const result = await one(each);
      results.get(each.name)?.push(result);
      bench.say(`  round ${round} ${each.name}: ${JSON.stringify(result)}`);
    }
  }
  return results;
}
