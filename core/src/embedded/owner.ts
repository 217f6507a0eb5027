import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError } from './errors.ts';
import {
  hasPulse,
  type Owner,
  type OwnFile,
  ownerFiles,
  publish,
  readOwner,
  writeOwner,
} from './owner-file.ts';
import { isAlive, pidSpace, processInfo } from './processes.ts';

/** The right to start, adopt and stop Postgres in a folder. */
export interface Claim {
  /** Adds to what the owner's file says. */
  describe(fields: Partial<Owner>): Promise<void>;
  release(): Promise<void>;
}

/** An owner in another container (or before a reboot) is dead if its file was not touched for this long. */
const SILENCE_MS = 10_000;
/** A watchdog needs this long at most: fast shutdown, then immediate shutdown. */
const PATIENCE_MS = 75_000;

/**
 * Makes this process the owner of the folder. Waits for a watchdog that is just stopping Postgres there.
 * @throws EmbeddedPostgresError `folder_in_use` if another process owns it.
 */
export async function claimFolder(folder: string, silenceMs: number = SILENCE_MS): Promise<Claim> {
  const outcome = await contend(folder, 'server', silenceMs);
  if ('rival' in outcome) throw inUse(folder, outcome.rival);
  return outcome;
}

/** Makes a watchdog the owner of the folder; undefined if a new server was faster. */
export async function claimForWatchdog(folder: string): Promise<Claim | undefined> {
  const outcome = await contend(folder, 'watchdog', SILENCE_MS);
  return 'rival' in outcome ? undefined : outcome;
}

/**
 * Each candidate puts a file of its own name into the folder and then looks who else is there. Alone: it owns
 * the folder. Not alone: it takes its file back. Two can never both be alone, and as no two files share a name,
 * clearing away the file of a dead one never hits a living one.
 */
async function contend(
  folder: string,
  role: Owner['role'],
  silenceMs: number,
): Promise<Claim | { rival: Owner }> {
  const deadline = performance.now() + PATIENCE_MS;
  const self = await describeSelf(role);
  for (;;) {
    const file = await publish(folder, self);
    const rivals = await livingRivals(folder, file.path, self.pidSpace, silenceMs);
    if (rivals.length === 0) return settle(file, self);
    await file.remove();
    const rival = rivals.find(isServer) ?? (performance.now() > deadline ? rivals[0] : undefined);
    if (rival !== undefined) return { rival };
    await sleep(20 + Math.random() * 80);
  }
}

const isServer = (owner: Owner): boolean => owner.settled && owner.role === 'server';

async function describeSelf(role: Owner['role']): Promise<Owner> {
  const info = await processInfo(process.pid);
  return {
    pid: process.pid,
    startedAt: info?.startedAt ?? '',
    pidSpace: await pidSpace(),
    role,
    settled: false,
  };
}

async function settle(file: OwnFile, self: Owner): Promise<Claim> {
  let owner: Owner = { ...self, settled: true };
  await writeOwner(file.path, owner);
  return {
    describe: (fields) => {
      owner = { ...owner, ...fields };
      return writeOwner(file.path, owner);
    },
    release: file.remove,
  };
}

async function livingRivals(
  folder: string,
  mine: string,
  ourPidSpace: string,
  silenceMs: number,
): Promise<Owner[]> {
  const others = (await ownerFiles(folder)).filter((file) => file !== mine);
  const rivals = await Promise.all(others.map((file) => livingOwner(file, ourPidSpace, silenceMs)));
  return rivals.filter((rival) => rival !== undefined);
}

/** The owner that a file stands for; if that one is dead, the file goes. */
async function livingOwner(file: string, ourPidSpace: string, silenceMs: number): Promise<Owner | undefined> {
  const owner = await readOwner(file);
  if (owner !== undefined) {
    const alive = owner.pidSpace === ourPidSpace ? await isAlive(owner) : await hasPulse(file, silenceMs);
    if (alive) return owner;
  }
  await rm(file, { force: true });
  return undefined;
}

const inUse = (folder: string, owner: Owner): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_in_use',
    `The data folder ${folder} is in use by the process with PID ${owner.pid}` +
      `${owner.port === undefined ? ', which is just starting or stopping Postgres' : `, whose Postgres listens on port ${owner.port}`}. ` +
      'Stop that process first, or give this one another data folder (BATCHSENDER_DATA).',
  );
