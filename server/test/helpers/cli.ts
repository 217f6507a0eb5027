import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './app.ts';
import { runnersOf } from './runner-processes.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The root of the repository, where `npm start` finds the plugins among the workspaces. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A run of the command line. */
export interface Cli {
  readonly process: ChildProcess;
  /** Standard output and standard error so far. */
  stdout(): string;
  stderr(): string;
  /** The URL, as soon as the server is ready. */
  ready(): Promise<string>;
  /** The exit code, or the signal, when it has ended. */
  readonly ended: Promise<number | string>;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
  /** Finds the processes of the server. The function that it answers kills all of them at once, as a power failure would. */
  aim(): () => Promise<number | string>;
}

/** Runs `batchsender` in a folder, with nothing in the environment but what is given. */
export function runCli(
  options: { cwd?: string; env?: Record<string, string>; args?: readonly string[] } = {},
): Cli {
  const child = spawn(process.execPath, ['--conditions=@batchsender/source', MAIN, ...(options.args ?? [])], {
    cwd: options.cwd ?? ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PORT: '0',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
  });
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    ready: () =>
      eventually(async () => {
        if (child.exitCode !== null) throw new Error(`it ended by ${child.exitCode}: ${stderr}`);
        return /"url":"([^"]+)".*"msg":"BatchSender is ready"/.exec(stdout)?.[1];
      }, 90_000),
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
    aim: () => {
      const runners = runnersOf(child.pid ?? 0);
      if (runners.length === 0) throw new Error('The server has no runner process');
      return () => {
        child.kill('SIGKILL');
        for (const pid of runners) process.kill(pid, 'SIGKILL');
        return ended;
      };
    },
  };
}

/** A temporary folder that the user of the embedded Postgres can reach. */
export function dataFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'batchsender-e2e-'));
  chmodSync(path, 0o755);
  return { path: join(path, 'data'), remove: () => rmSync(path, { recursive: true, force: true }) };
}
