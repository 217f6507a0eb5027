import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process, told apart from a later one with the same PID by when it started. */
export interface ProcessRef {
  readonly pid: number;
  /** Opaque; only compared. */
  readonly startedAt: string;
}

/** What the system says about a living process. */
export interface ProcessInfo extends ProcessRef {
  /** Program and arguments, joined by spaces. */
  readonly command: string;
  /** The working directory, where the system tells it. */
  readonly folder?: string;
  /** True if the program's file was deleted or replaced since the start. */
  readonly replaced?: boolean;
}

/** Reads `/proc/<pid>/stat`: state and start time stand behind the name, which may hold anything. */
export function parseStat(stat: string): { state: string; startedAt: string } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
}

/** Reads a line of `ps -o stat=,lstart=,command=`. */
export function parsePs(line: string): { state: string; startedAt: string; command: string } | undefined {
  const match = /^\s*(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d{4})\s+(.*?)\s*$/.exec(line);
  if (match === null) return undefined;
  return { state: match[1] ?? '', startedAt: match[2] ?? '', command: match[3] ?? '' };
}

async function fromProc(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    const { state, startedAt } = parseStat(stat);
    // A zombie holds its PID until its parent asks; where PID 1 never does, that is for ever.
    if (state === 'Z' || state === 'X') return undefined;
    const [folder, program] = await Promise.all(
      ['cwd', 'exe'].map((link) => readlink(`/proc/${pid}/${link}`).catch(() => undefined)),
    );
    const command = commandLine.replace(/\0+$/, '').replaceAll('\0', ' ');
    return {
      pid,
      startedAt,
      command,
      ...(folder && { folder }),
      replaced: program?.endsWith(' (deleted)') ?? false,
    };
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    const { stdout } = await run('ps', ['-ww', '-o', 'stat=,lstart=,command=', '-p', String(pid)], { env });
    const parsed = parsePs(stdout);
    return parsed === undefined || parsed.state.startsWith('Z') ? undefined : { pid, ...parsed };
  } catch {
    return undefined;
  }
}

/** The process with this PID; undefined if it is dead (or a zombie). */
export const processInfo = (pid: number): Promise<ProcessInfo | undefined> =>
  process.platform === 'linux' ? fromProc(pid) : fromPs(pid);

/** True if exactly this process still lives. */
export async function isAlive({ pid, startedAt }: ProcessRef): Promise<boolean> {
  return (await processInfo(pid))?.startedAt === startedAt;
}

/** Waits until a process has ended. Answers false if it lives on after `timeoutMs`. */
export async function waitForEnd(ref: ProcessRef, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(ref)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** Within which bounds PIDs mean something: the boot and the PID namespace (a container has its own). */
export async function pidSpace(): Promise<string> {
  if (process.platform !== 'linux') return process.platform;
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ]);
  return `${boot.trim()} ${namespace}`;
}
