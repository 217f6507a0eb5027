import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServerName } from './schedule.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const APP = fileURLToPath(new URL('./app/', import.meta.url));
const LOOK_MS = 200;
const RESTART_MS = 500;

/** A runner's process that a server has made, as its log tells. */
interface RunnerChild {
  readonly pid: number;
  readonly runnerId: string;
  readonly alone: boolean;
}

/** A server of the run, which is started again whenever it ends, as a service manager would. */
export interface ServerProcess {
  readonly name: ServerName;
  readonly url: string;
  /** Its database answers, and its runner works, if it has one. */
  readonly ready: boolean;
  /** Undefined while there is none. */
  readonly pid: number | undefined;
  /** The living processes with runners. */
  children(): readonly RunnerChild[];
  /** Ends it by SIGKILL, or only some process of it; it is started again after `downMs`. */
  kill(downMs: number): Promise<void>;
  /** From now on it is not started again; ends it, and what it left. */
  close(): Promise<void>;
  /** Times that it was started. */
  readonly starts: number;
  /** Lines of its log that say that something is wrong with the engine itself. */
  readonly alarms: readonly string[];
}

export interface ServerOptions {
  readonly name: ServerName;
  readonly port: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

interface State {
  child: ChildProcess | undefined;
  ready: boolean;
  closing: boolean;
  starts: number;
  downUntil: number;
  readonly runners: Map<number, RunnerChild & { readonly parent: number }>;
  readonly alarms: string[];
  readonly log: WriteStream;
}

/** Starts a server and keeps it alive. */
export function startServer(options: ServerOptions): ServerProcess {
  const url = `http://127.0.0.1:${options.port}`;
  const state: State = {
    child: undefined,
    ready: false,
    closing: false,
    starts: 0,
    downUntil: 0,
    runners: new Map(),
    alarms: [],
    log: createWriteStream(join(options.folder, `${options.name}.log`)),
  };
  const kept = keepAlive(state, options);
  const looking = lookAt(state, url);
  return {
    name: options.name,
    url,
    alarms: state.alarms,
    get ready() {
      return state.ready;
    },
    get pid() {
      return state.child?.pid;
    },
    get starts() {
      return state.starts;
    },
    children: () => livingRunners(state),
    kill: async (downMs) => {
      const { child } = state;
      state.downUntil = performance.now() + downMs;
      if (child === undefined) return;
      state.ready = false;
      child.kill('SIGKILL');
      await ended(child);
    },
    close: async () => {
      state.closing = true;
      state.child?.kill('SIGKILL');
      await Promise.all([kept, looking]);
      for (const { pid } of livingRunners(state)) process.kill(pid, 'SIGKILL');
      state.log.end();
    },
  };
}

async function keepAlive(state: State, options: ServerOptions): Promise<void> {
  while (!state.closing) {
    const waitMs = state.downUntil - performance.now();
    if (waitMs > 0) {
      await sleep(Math.min(waitMs, LOOK_MS));
      continue;
    }
    const child = spawn(process.execPath, ['--conditions=@batchsender/source', MAIN], {
      cwd: APP,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...options.env, HOST: '127.0.0.1', PORT: String(options.port) },
    });
    state.child = child;
    state.starts += 1;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => readLine(state, child.pid ?? 0, line));
    await ended(child);
    state.child = undefined;
    state.ready = false;
    state.downUntil = Math.max(state.downUntil, performance.now() + RESTART_MS);
  }
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

const ALARMS = [/reconciler repaired/, /an error that nobody caught/];

function readLine(state: State, parent: number, line: string): void {
  state.log.write(`${line}\n`);
  if (ALARMS.some((alarm) => alarm.test(line))) state.alarms.push(line.slice(0, 500));
  const runner = /"pid":(\d+),"runnerId":"([0-9a-f-]+)","alone":(true|false)/.exec(line);
  if (runner === null) return;
  const pid = Number(runner[1]);
  state.runners.set(pid, { pid, runnerId: runner[2] ?? '', alone: runner[3] === 'true', parent });
}

async function lookAt(state: State, url: string): Promise<void> {
  while (!state.closing) {
    const { child } = state;
    const answer = child === undefined ? false : await isReady(url);
    state.ready = answer && state.child === child;
    await sleep(LOOK_MS);
  }
}

/** A runner that has no NATS delivers by itself: it works. */
async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as { database?: boolean; runner?: boolean };
    return response.status === 200 || (body.database === true && body.runner === true);
  } catch {
    return false;
  }
}

/** A process id may have been given to somebody else: the command line must be the one of our child. */
function livingRunners(state: State): RunnerChild[] {
  const living = [...state.runners.values()].filter(({ pid, parent }) => {
    const words = commandOf(pid);
    return words.includes('child-main') && words.trim().endsWith(` ${parent}`);
  });
  state.runners.clear();
  for (const runner of living) state.runners.set(runner.pid, runner);
  return living.map(({ pid, runnerId, alone }) => ({ pid, runnerId, alone }));
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
