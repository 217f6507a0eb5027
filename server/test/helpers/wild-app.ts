import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestDatabase, testDatabase } from '../../../core/test/helpers/postgres.ts';
import { type Answer, client, eventually, type TestApp } from './app.ts';
import { appFolder } from './app-folder.ts';
import { type Cli, runCli } from './cli.ts';

const KEY = 'bs_wild';

/** A server's processes, with a plugin whose jobs do what their payload says. */
export interface WildApp {
  readonly folder: string;
  readonly database: TestDatabase;
  /** Starts a server; `args` and `env` say more. */
  start(options?: { args?: string[]; env?: Record<string, string>; folder?: string }): Promise<WildServer>;
  /** Calls of the plugin so far: how often each job was called. */
  calls(): Map<string, number>;
  close(): Promise<void>;
}

export interface WildServer {
  readonly cli: Cli;
  readonly url: string;
  readonly api: TestApp['api'];
  /** The living runner processes. */
  children(): number[];
  /** Waits for the end of a batch. */
  completed(batchId: string, withinMs?: number): Promise<Answer['body']>;
}

export interface WildOptions {
  readonly type?: string;
  readonly guarantee?: string;
  readonly concurrency?: number;
  readonly version?: number;
}

/** The text of a config file with the plugin; its calls go to a file. */
export function wildConfig(ledger: string, options: WildOptions = {}): string {
  const { type = 'wild', guarantee = 'at-least-once', concurrency = 10, version = 1 } = options;
  return `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    const payload = {
      type: 'object', additionalProperties: false,
      properties: { does: { type: 'string' }, ms: { type: 'integer' } },
    };
    const local = {
      title: 'Local', credentials: { type: 'object', properties: { secret: { type: 'string' } } },
      guarantee: { kind: '${guarantee}' }, concurrency: ${concurrency},
      open: () => ({
        async process({ id, payload: { does, ms = 1 } }) {
          appendFileSync(${JSON.stringify(ledger)}, id + ' ${version}\\n');
          await sleep(ms);
          if (does === 'loop') for (;;);
          if (does === 'exit') process.exit(0);
          if (does === 'throw') setImmediate(() => { throw new Error('thrown'); });
          if (does === 'reject') void Promise.reject(new Error('nobody awaits this'));
          if (does === 'memory') for (const all = []; ; ) all.push(new Array(1e5).fill(all.length));
          if (does === 'blocked') return { status: 'blocked', code: 'no_credit' };
          if (does === 'throw' || does === 'reject') await sleep(20);
          return { status: 'succeeded' };
        },
      }),
    };
    const wild = { type: '${type}', title: 'Wild', version: ${version}, payload, providers: { local } };
    export default { plugins: [{ name: 'plugin-${type}', version: '${version}.0.0', contract: 1, modules: [wild] }] };
  `;
}

/** Makes the app folder and the database. Close it in `afterEach`. */
export async function wildApp(options: WildOptions = {}): Promise<WildApp> {
  const database = await testDatabase();
  const app = appFolder();
  const ledger = join(app.path, 'calls');
  app.write({ 'batchsender.config.mjs': wildConfig(ledger, options) });
  const clis: Cli[] = [];
  return {
    folder: app.path,
    database,
    async start({ args = [], env = {}, folder = app.path } = {}) {
      const url = { DATABASE_URL: database.url, BATCHSENDER_API_KEY: KEY, LOG_LEVEL: 'info' };
      const cli = runCli({ cwd: folder, args, env: { ...url, ...env } });
      clis.push(cli);
      return wildServer(cli, await cli.ready());
    },
    calls: () => callsOf(ledger),
    async close() {
      for (const cli of clis) if (cli.process.exitCode === null) cli.process.kill('SIGKILL');
      await Promise.all(clis.map((cli) => cli.ended));
      await database.drop();
      app.remove();
    },
  };
}

function wildServer(cli: Cli, url: string): WildServer {
  const api = client(url, KEY);
  return {
    cli,
    url,
    api,
    children: () => childrenOf(cli.process.pid ?? 0),
    completed: (batchId, withinMs = 300_000) =>
      eventually(async () => {
        const { body } = await api(`/v1/batches/${batchId}`);
        return body.state === 'completed' && body;
      }, withinMs),
  };
}

function callsOf(ledger: string): Map<string, number> {
  const calls = new Map<string, number>();
  if (!existsSync(ledger)) return calls;
  for (const line of readFileSync(ledger, 'utf8').trim().split('\n')) {
    const [id = ''] = line.split(' ');
    if (id !== '') calls.set(id, (calls.get(id) ?? 0) + 1);
  }
  return calls;
}

/** Runner processes that a server has started. */
function childrenOf(pid: number): number[] {
  return processes()
    .filter(({ parent, command }) => parent === pid && command.includes('child-main'))
    .map((one) => one.pid);
}

/** Runner processes that were started by a server, whoever their parent is now. */
export function startedBy(pid: number): number[] {
  return processes()
    .filter(({ command }) => command.includes('child-main') && command.trim().endsWith(` ${pid}`))
    .map((one) => one.pid);
}

function processes(): { pid: number; parent: number; command: string }[] {
  const text = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , stat]) => !stat?.startsWith('Z'))
    .map(([pid, parent, , ...command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      command: command.join(' '),
    }));
}
