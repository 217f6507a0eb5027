import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SalesforceOptions } from '../../src/index.ts';

export interface RunnerSettings {
  readonly database: string;
  readonly credentials: Record<string, string | number>;
  readonly salesforce: SalesforceOptions;
  readonly tuning: { readonly leaseMs: number; readonly rehintMs: number };
}

export interface Runner {
  /** Ends it without a word, as a power cut does. */
  kill(): Promise<void>;
}

/** Starts an engine with the plugin in a process of its own. */
export function startRunner(settings: RunnerSettings): Runner {
  const main = fileURLToPath(new URL('runner-main.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@batchsender/source', main], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, CRM_RUNNER: JSON.stringify(settings) },
  });
  const exited = once(child, 'exit');
  return {
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
