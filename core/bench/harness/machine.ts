import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Client } from 'pg';

/** Where the figures were taken: a figure without it says nothing. */
export interface Machine {
  readonly [fact: string]: string;
}

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
  const found = ['graphile-worker', 'pg-boss'].flatMap((peer) => {
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

/** Peak resident memory of a process and of its children, added up, in megabytes, from /proc; undefined where there is none. */
export function peakMemoryMb(pid: number): number | undefined {
  return sum(family(pid).map(peakOf));
}

/** CPU time of a process and of its children that live, in milliseconds, from /proc; undefined where there is none. */
export function cpuTimeMs(pid: number): number | undefined {
  return sum(family(pid).map(cpuTimeOf));
}

/** The server has its runner in a child process. */
function family(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean);
    return [pid, ...children.flatMap((child) => family(Number(child)))];
  } catch {
    return [pid];
  }
}

function sum(figures: readonly (number | undefined)[]): number | undefined {
  return figures.some((figure) => figure === undefined)
    ? undefined
    : figures.reduce<number>((total, figure) => total + (figure ?? 0), 0);
}

function peakOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return;
  }
}

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
