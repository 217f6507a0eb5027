import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Client } from 'pg';

/** Where the figures were taken: a figure without it says nothing. */
export interface Machine {
  readonly [fact: string]: string;
}

export const PEERS = ['graphile-worker', 'pg-boss', 'bullmq'] as const;

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'wal_compression',
  'jit',
];

export async function describeMachine(client: Client, database: string): Promise<Machine> {
  const { rows } = await client.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
    [SETTINGS],
  );
  const version = await client.query<{ v: string }>("SELECT current_setting('server_version') AS v");
  return {
    processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    'load average': loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    node: process.version,
    postgres: `${version.rows[0]?.v ?? 'unknown'}, ${database}`,
    settings: rows.map((row) => `${row.name} ${row.value}`).join(', '),
    peers: peerVersions(),
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
  };
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain') === '' ? '' : ' with changes that are not committed';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}

function peerVersions(): string {
  const found = PEERS.flatMap((peer) => {
    const version = installedVersion(peer);
    return version === undefined ? [] : [`${peer} ${version}`];
  });
  return found.length === 0 ? 'none installed' : found.join(', ');
}

/** The version of a peer, or undefined if it is not installed. */
export function installedVersion(peer: string): string | undefined {
  try {
    const manifest = readFileSync(new URL(`../node_modules/${peer}/package.json`, import.meta.url), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  } catch {
    return;
  }
}

/** Watches the memory of a process and of its children. */
export interface MemoryWatch {
  /** What they had at its beginning, in megabytes; undefined where /proc does not tell. */
  readonly startMb: number | undefined;
  /** The most that was seen until it ends, in megabytes. */
  end(): number | undefined;
}

const SAMPLE_MS = 100;

/**
 * Adds up what the processes have of their own (RssAnon), looked at ten times a second, and their shares of what
 * they have from files, so that the pages of Node's own file are counted once. Those shares hardly change, and to read
 * them stops a process for milliseconds: they are read at the beginning and at the end.
 */
export function watchMemory(pid: number): MemoryWatch {
  const sharedBefore = sharedMb(pid);
  const ownBefore = ownMb(pid);
  let peak = ownBefore;
  const look = (): void => {
    const now = ownMb(pid);
    if (peak !== undefined && now !== undefined) peak = Math.max(peak, now);
  };
  // If the work fails, it holds up nobody's end.
  const timer = setInterval(look, SAMPLE_MS).unref();
  return {
    startMb: sum([ownBefore, sharedBefore]),
    end: () => {
      clearInterval(timer);
      look();
      return sum([peak, sharedMb(pid)]);
    },
  };
}

const ownMb = (pid: number): number | undefined =>
  sum(family(pid).map((one) => memoryMb(one, 'status', ['RssAnon'])));

const sharedMb = (pid: number): number | undefined =>
  sum(family(pid).map((one) => memoryMb(one, 'smaps_rollup', ['Pss_File', 'Pss_Shmem'])));

/** CPU time of a process and of its children that live, in milliseconds, from /proc; undefined where there is none. */
export function cpuTimeMs(pid: number): number | undefined {
  return sum(family(pid).map(cpuTimeOf));
}

/** The server has its runner in a child process. */
function family(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(family)];
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function sum(figures: readonly (number | undefined)[]): number | undefined {
  return figures.some((figure) => figure === undefined)
    ? undefined
    : figures.reduce<number>((total, figure) => total + (figure ?? 0), 0);
}

/** Adds up fields of a file in /proc, which are in kilobytes. */
function memoryMb(pid: number, file: string, fields: readonly string[]): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return sum(fields.map((field) => megabytes(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1])));
  } catch {
    return;
  }
}

const megabytes = (kilobytes: string | undefined): number | undefined =>
  kilobytes === undefined ? undefined : Number(kilobytes) / 1024;

/** Linux counts CPU time in hundredths of a second (USER_HZ), whatever its kernel's own clock is. */
const TICK_MS = 10;

function cpuTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets; utime and stime are the 14th and the 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return;
  }
}

/** CPU time of these processes and of their children. */
export const treeCpuMs = (pids: readonly number[]): number | undefined => sum(pids.map(cpuTimeMs));
