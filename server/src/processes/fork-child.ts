import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../settings/environment.ts';

export interface ForkOptions {
  readonly env: Environment;
  /** Variables that hold secrets: the child is told what it needs by its orders. */
  readonly secretVariables: ReadonlySet<string>;
  /** Limit of the child's heap, in MiB; undefined for Node's own. */
  readonly memoryMb: number | undefined;
}

/** A larger nursery: what a batch needs for a moment is not copied around (see `limitHeapGrowth`). */
const SEMI_SPACE = '--max-semi-space-size';

/** Starts a child that waits for its orders. */
export function forkChild({ env, secretVariables, memoryMb }: ForkOptions): ChildProcess {
  // The same ending as this file: `.ts` from source, `.js` when built.
  const entry = fileURLToPath(new URL(`./child-main${extname(import.meta.url)}`, import.meta.url));
  return fork(entry, [String(process.pid)], {
    execArgv: [...nodeFlags(process.execArgv, memoryMb)],
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !secretVariables.has(name))),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** The parent's own flags, such as `--conditions`, without those of a debugger, which holds a port. */
export function nodeFlags(own: readonly string[], memoryMb: number | undefined): readonly string[] {
  const kept = own.filter((flag) => !flag.startsWith('--inspect'));
  const nursery = kept.some((flag) => flag.startsWith(SEMI_SPACE)) ? [] : [`${SEMI_SPACE}=16`];
  return [...kept, ...nursery, ...(memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`])];
}
