import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LedgerLine } from './ledger.ts';

const MAIN = fileURLToPath(new URL('./ledger-process.ts', import.meta.url));

export interface LedgerSetup {
  readonly file: string;
  readonly seed: number;
  /** How long a usual call takes, in milliseconds. */
  readonly workMs: number;
}

/** The provider in a process of its own. */
export interface LedgerServer {
  readonly url: string;
  /** All that it was called for, in order. */
  lines(): LedgerLine[];
  close(): Promise<void>;
}

export async function startLedger(setup: LedgerSetup): Promise<LedgerServer> {
  const child = fork(MAIN, [JSON.stringify(setup)], {
    execArgv: ['--conditions=@batchsender/source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    lines: () =>
      readFileSync(setup.file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LedgerLine),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
