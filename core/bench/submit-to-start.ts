import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from './harness/node-flags.ts';
import { percentile } from './harness/statistics.ts';

/**
 * From before the POST of a batch with one job to the start of its call in the runner's process, on an
 * idle system: `node … submit-to-start.ts [samples]` with DATABASE_URL set. The plugin answers the
 * monotonic clock, which all processes of a machine share, as the job's `ref`.
 */
const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
const KEY = 'bs_benchmark_key_that_guards_nothing_0123456789';
const PAUSE_MS = 5;
const WARM_UP = 50;

const CONFIG = `
const payload = { type: 'object', properties: {}, additionalProperties: false };
const local = {
  title: 'Clock', credentials: { type: 'object', properties: {} }, guarantee: { kind: 'at-least-once' },
  open: () => ({ process: () => ({ status: 'succeeded', ref: String(process.hrtime.bigint()) }) }),
};
const clock = { type: 'clock', title: 'Clock', version: 1, payload, providers: { local } };
export default { plugins: [{ name: 'plugin-clock', version: '1.0.0', contract: 1, modules: [clock] }] };
`;

const samples = Number(process.argv[2] ?? 500);
const database = process.env['DATABASE_URL'];
if (database === undefined) throw new Error('Set DATABASE_URL to the URL of an empty database');
const folder = mkdtempSync(join(tmpdir(), 'batchsender-latency-'));
writeFileSync(join(folder, 'batchsender.config.mjs'), CONFIG);
const servers: (() => Promise<void>)[] = [];
try {
  const one = await start('all');
  report('one server: the API, and the runner in its child process', await measure(one));
  await servers.pop()?.();
  const api = await start('api');
  await start('runner');
  report('two servers: the API, and a runner with its child process', await measure(api));
} finally {
  for (const stop of servers.reverse()) await stop();
  rmSync(folder, { recursive: true });
}

async function start(role: string): Promise<string> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: database,
    PORT: String(port),
    BATCHSENDER_API_KEY: KEY,
  };
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, '--role', role], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, LOG_LEVEL: 'warn' },
  });
  servers.push(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.status !== 200) await sleep(100);
  return url;
}

async function measure(url: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ type: 'clock', jobs: [{}] });
  const startedAt: [id: string, at: bigint][] = [];
  for (let n = 0; n < samples + WARM_UP; n++) {
    await sleep(PAUSE_MS);
    const at = process.hrtime.bigint();
    const answer = await fetch(`${url}/v1/batches`, { method: 'POST', headers, body });
    startedAt.push([((await answer.json()) as { id: string }).id, at]);
  }
  const times: number[] = [];
  for (const [id, at] of startedAt.slice(WARM_UP)) {
    const answer = await fetch(`${url}/v1/jobs/${id}.0`, { headers });
    const { ref } = (await answer.json()) as { ref: string };
    times.push(Number(BigInt(ref) - at) / 1e6);
  }
  return times;
}

function report(what: string, times: readonly number[]): void {
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)].map((ms) => ms.toFixed(2));
  process.stdout.write(`${what}: ${times.length} jobs, p50 ${p50} ms, p99 ${p99} ms\n`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
