import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './errors.ts';
import type { ProcessRef } from './processes.ts';

/** What an owner's file says. */
export interface Owner extends ProcessRef {
  readonly pidSpace: string;
  /** `server` keeps Postgres running; `watchdog` is stopping it for an owner that died. */
  readonly role: 'server' | 'watchdog';
  /** False while it still looks whether it is alone. */
  readonly settled: boolean;
  readonly port?: number;
}

const FILE = /^owner-.+\.lock$/;
const HEARTBEAT_MS = 1_000;

/** All owners' files in the folder. */
export async function ownerFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => FILE.test(name)).map((name) => join(folder, name));
}

/** A file in the folder that is touched each second, so that its owner is seen from other containers too. */
export interface OwnFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** Puts a file for this process into the folder. */
export async function publish(folder: string, self: Owner): Promise<OwnFile> {
  const path = join(folder, `owner-${self.pid}-${randomBytes(6).toString('hex')}.lock`);
  await writeOwner(path, self);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  return {
    path,
    remove: () => {
      clearInterval(heartbeat);
      return rm(path, { force: true });
    },
  };
}

/** Rewrites an owner's file in one step, so that nobody ever reads half a file. */
export async function writeOwner(file: string, owner: Owner): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(owner)}\n`);
  await rename(`${file}.new`, file);
}

/** What the file says; undefined if it is gone, or nonsense. */
export async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Watches whether the file is touched. Only changes count, so that clocks need not agree. */
export async function hasPulse(file: string, silenceMs: number): Promise<boolean> {
  const touched = async () => (await stat(file).catch(() => undefined))?.mtimeMs;
  const before = await touched();
  const deadline = performance.now() + silenceMs;
  while (performance.now() < deadline) {
    await sleep(200);
    const after = await touched();
    if (after === undefined) return false;
    if (after !== before) return true;
  }
  return false;
}
