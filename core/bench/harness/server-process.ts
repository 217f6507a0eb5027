import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from './node-flags.ts';

const MAIN = fileURLToPath(new URL('../../../server/start.mjs', import.meta.url));
const FOLDER = fileURLToPath(new URL('../server-app/', import.meta.url));
const API_KEY = 'bs_benchmark_key_that_guards_nothing_0123456789';
const START_WITHIN_MS = 120_000;

/** The real server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  readonly authorization: string;
  stop(): Promise<void>;
}

export async function startServer(
  databaseUrl: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      BATCHSENDER_API_KEY: API_KEY,
      LOG_LEVEL: 'warn',
      NATS_URL: '',
      ...variables,
    },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const url = `http://127.0.0.1:${port}`;
  await ready(child, url);
  return { url, pid: child.pid ?? 0, authorization: `Bearer ${API_KEY}`, stop: () => stop(child) };
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`The server ended with exit code ${child.exitCode}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`The server was not ready within ${START_WITHIN_MS} ms`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
