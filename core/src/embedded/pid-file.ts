import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessInfo, processInfo } from './processes.ts';

/** A postmaster that lives on our data folder. */
export interface Postmaster extends ProcessInfo {
  readonly port: number;
  readonly ready: boolean;
  /** True if it was told to stop. */
  readonly stopping: boolean;
}

const NAMES = ['postgres', 'postmaster'];
/** Higher than any system hands out. */
const NOBODYS_PID = 2_147_483_646;
const PORT_LINE = 3;
const STATUS_LINE = 7;

/** True if the process is a Postgres on this data folder, and not one that got its PID later. */
export function isPostmasterOf(info: ProcessInfo, pgdata: string): boolean {
  const [program = '', ...args] = info.command.split(' ');
  if (!NAMES.includes(basename(program))) return false;
  // A postmaster makes its data folder its working directory.
  return info.folder === pgdata || args.join(' ').includes(`-D ${pgdata} `);
}

/** Finds the living postmaster of a data folder by its `postmaster.pid`. */
export async function findPostmaster(pgdata: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFile(pgdata), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const info = await livingPostmaster(lines, pgdata);
  if (info === undefined) return undefined;
  const port = Number(lines[PORT_LINE]);
  const status = lines[STATUS_LINE]?.trim();
  return { ...info, port, ready: status === 'ready', stopping: status === 'stopping' };
}

async function livingPostmaster(lines: readonly string[], pgdata: string): Promise<ProcessInfo | undefined> {
  const pid = Number(lines[0]);
  const info = pid > 0 ? await processInfo(pid) : undefined;
  return info !== undefined && isPostmasterOf(info, pgdata) ? info : undefined;
}

/**
 * Enables Postgres to replace a stale `postmaster.pid`, whose PID may be that of a foreign process or of a zombie.
 *
 * Postgres replaces a file whose PID is dead by itself, but first checks, by the file's shared memory key, that no
 * orphaned backend still works on the data. Removing the file would switch that check off; so its PID is changed.
 * That goes through one file handle: if a new postmaster replaces the file meanwhile, only the old one is written.
 */
export async function disarmStalePidFile(pgdata: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const handle = await open(pidFile(pgdata), 'r+').catch(() => undefined);
    if (handle === undefined) return;
    try {
      const lines = (await handle.readFile('utf8')).split('\n');
      if (lines.length > 1) {
        if ((await livingPostmaster(lines, pgdata)) === undefined) await overwrite(handle, lines);
        return;
      }
    } finally {
      await handle.close();
    }
    await sleep(100);
  }
  // Empty for a second: a power failure, not a server that is just writing it. Postgres refuses such a file.
  await rm(pidFile(pgdata), { force: true });
}

async function overwrite(handle: FileHandle, lines: readonly string[]): Promise<void> {
  const text = [NOBODYS_PID, ...lines.slice(1)].join('\n');
  await handle.truncate(0);
  await handle.write(text, 0);
}

const pidFile = (pgdata: string): string => join(pgdata, 'postmaster.pid');
