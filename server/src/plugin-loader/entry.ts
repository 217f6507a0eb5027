import { join } from 'node:path';
import type { Manifest } from './manifest.ts';

/** Conditions of `exports` that Node gives to `import`. */
const NODE_CONDITIONS = ['node', 'import', 'module-sync', 'default'];

/** Conditions that this process was started with, by `--conditions` or `-C`, and Node's own. */
export function importConditions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env['NODE_OPTIONS'] ?? '',
): ReadonlySet<string> {
  const words = [...execArgv, ...nodeOptions.split(/\s+/)];
  const custom = words.flatMap((word, index) => {
    const inline = /^(?:--conditions=|-C=?)(.+)$/.exec(word)?.[1];
    const next = word === '--conditions' || word === '-C' ? words[index + 1] : undefined;
    return inline ?? next ?? [];
  });
  return new Set([...custom, ...NODE_CONDITIONS]);
}

/**
 * The file that `import` of a package loads. Node has no stable call for it as seen from
 * another folder, and `require.resolve` refuses packages that are for `import` only.
 */
export function entryOf(
  directory: string,
  manifest: Manifest,
  conditions: ReadonlySet<string>,
): string | undefined {
  if (manifest.exports === undefined) return join(directory, manifest.main ?? 'index.js');
  const target = resolveTarget(mainExport(manifest.exports), conditions);
  return target === undefined ? undefined : join(directory, target);
}

function mainExport(exports: unknown): unknown {
  const isMap = typeof exports === 'object' && exports !== null && '.' in exports;
  return isMap ? exports['.'] : exports;
}

function resolveTarget(target: unknown, conditions: ReadonlySet<string>): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return firstOf(target, conditions);
  if (typeof target !== 'object' || target === null) return undefined;
  const matching = Object.entries(target).filter(([condition]) => conditions.has(condition));
  return firstOf(
    matching.map(([, value]) => value),
    conditions,
  );
}

function firstOf(targets: readonly unknown[], conditions: ReadonlySet<string>): string | undefined {
  for (const target of targets) {
    const found = resolveTarget(target, conditions);
    if (found !== undefined) return found;
  }
  return undefined;
}
