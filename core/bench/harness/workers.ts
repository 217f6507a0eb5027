import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Setting } from '../contestants/contestant.ts';
import { NODE_FLAGS } from './node-flags.ts';

const MAIN = fileURLToPath(new URL('./worker-main.ts', import.meta.url));
const READY_WITHIN_MS = 120_000;

export interface WorkersOptions {
  readonly peer: string;
  readonly kind: 'drainer' | 'listener';
  readonly count: number;
  /** A listener was called, at this time of the clock that all processes share. */
  onCall?(at: bigint): void;
}

/** Worker processes that are connected and wait. */
export interface Workers {
  readonly pids: readonly number[];
  /** The common start signal. */
  start(): void;
  /** Nobody takes jobs any more. */
  rest(): Promise<void>;
  /** Calls that the drainers have reported. */
  calls(): number;
  stop(): Promise<void>;
}

export async function startWorkers(options: WorkersOptions, setting: Setting): Promise<Workers> {
  const calls = new Map<ChildProcess, number>();
  const children = Array.from({ length: options.count }, () => {
    const child = fork(MAIN, [options.peer, options.kind, JSON.stringify(setting)], {
      execArgv: [...NODE_FLAGS],
    });
    child.on('message', (message: 'ready' | 'rests' | { at?: string; calls?: number }) => {
      if (typeof message === 'string') return;
      if (message.at !== undefined) options.onCall?.(BigInt(message.at));
      if (message.calls !== undefined) calls.set(child, message.calls);
    });
    return child;
  });
  await Promise.all(children.map(ready));
  return {
    pids: children.map(({ pid }) => pid ?? 0),
    start: () => {
      for (const child of children) child.send('start');
    },
    rest: async () => {
      await Promise.all(children.map(rest));
    },
    calls: () => [...calls.values()].reduce((sum, count) => sum + count, 0),
    stop: async () => {
      await Promise.all(children.map(stop));
    },
  };
}

async function ready(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS);
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('A worker process ended before it was ready; its message stands above');
    }),
  ]);
  clearTimeout(timer);
}

async function rest(child: ChildProcess): Promise<void> {
  child.send('rest');
  for (;;) if ((await once(child, 'message'))[0] === 'rests') return;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.send('stop');
  await ended;
}
