import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A run of the demo, with a temporary folder of its own. */
export interface DemoRun {
  readonly process: ChildProcess;
  /** Standard output and standard error so far. */
  stdout(): string;
  stderr(): string;
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string>;
  /** What the demo left in its temporary folder. */
  leftovers(): readonly string[];
  remove(): void;
}

/** Starts the demo with nothing in its environment but what is given. */
export function runDemo(env: Record<string, string>): DemoRun {
  const folder = mkdtempSync(join(tmpdir(), 'batchsender-demo-test-'));
  // As root, Postgres runs as another user, who has to reach this folder.
  chmodSync(folder, 0o755);
  const child = spawn(process.execPath, ['--conditions=@batchsender/source', MAIN], {
    env: { PATH: process.env['PATH'], TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return {
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended: new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
    }),
    leftovers: () => readdirSync(folder),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}
