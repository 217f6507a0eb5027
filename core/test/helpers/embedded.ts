import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import type { EmbeddedPostgres } from '../../src/embedded/index.ts';
import type { RunAs } from '../../src/embedded/user.ts';
import type { Options } from '../embedded/fixtures/hold.ts';

/** The program that holds an embedded Postgres. */
export const HOLD = fileURLToPath(new URL('../embedded/fixtures/hold.ts', import.meta.url));

/** A process that holds an embedded Postgres, or tried to. */
export interface Holder {
  readonly child: ChildProcess;
  readonly server?: Omit<EmbeddedPostgres, 'stop'>;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** A folder for one test; whatever still runs on it is ended with it. */
export interface Scratch {
  readonly path: string;
  /** Starts a process that holds an embedded Postgres; `dataDir` defaults to `<path>/db`. */
  hold(options?: Partial<Options>, user?: RunAs): Promise<Holder>;
  /** Ends all that runs on the folder; the data stays. */
  end(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a folder in the temporary folder that every user can reach. */
export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'batchsender-embedded-'));
  await chmod(path, 0o755);
  const children: ChildProcess[] = [];
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
    return quiet(path);
  };
  return {
    path,
    end,
    hold: async (options, user) => {
      const holder = await hold({ dataDir: join(path, 'db'), ...options }, user);
      children.push(holder.child);
      return holder;
    },
    remove: async () => {
      await end();
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function hold(options: Options, user?: RunAs): Promise<Holder> {
  const child = spawn(process.execPath, [HOLD, JSON.stringify(options)], {
    ...user,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
  return { child, ...(JSON.parse(line) as Omit<Holder, 'child'>) };
}

/** The server that a process holds; throws what it told instead. */
export function serverOf(holder: Holder): Omit<EmbeddedPostgres, 'stop'> {
  if (holder.server === undefined) throw new Error(`no server: ${JSON.stringify(holder.error)}`);
  return holder.server;
}

/** Ends a process without giving it a chance to do anything about it. */
export async function kill9(holder: Holder): Promise<void> {
  const ended = once(holder.child, 'exit');
  holder.child.kill('SIGKILL');
  await ended;
}

/** Lets a process stop its server and end. */
export async function stop(holder: Holder): Promise<void> {
  const ended = once(holder.child, 'exit');
  holder.child.stdin?.end('stop\n');
  await ended;
}

/** PIDs of the processes (watchdogs, postmasters) whose command line names this folder. */
export async function processesOn(folder: string, kind = ''): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command=']);
  const lines = stdout.split('\n').filter((line) => line.includes(folder) && line.includes(kind));
  return lines.map((line) => Number.parseInt(line, 10)).filter((pid) => pid !== process.pid);
}

/** Waits until nothing runs on the folder any more. */
export async function quiet(folder: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while ((await processesOn(folder)).length > 0) {
    if (performance.now() > deadline)
      throw new Error(`something still runs on ${folder} after ${timeoutMs} ms`);
    await sleep(50);
  }
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // Postgres may be stopped while this connection is open; the statement's own error is what counts.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

/** A dead process that keeps its PID, because its parent does not ask how it ended. */
export interface Zombie {
  readonly pid: number;
  /** Ends the parent, and so the zombie. */
  readonly parent: ChildProcess;
}

/** Makes a process that will be a zombie in 50 ms. */
export async function makeZombie(): Promise<Zombie> {
  const parent = spawn('/bin/sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [output] = (await once(parent.stdout, 'data')) as [Buffer];
  return { pid: Number(output.toString()), parent };
}
