import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './server-process.ts';

/** A server beside Postgres, for the contestants that need it. */
export interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

const START_WITHIN_MS = 20_000;

/** Debian puts servers where an ordinary user's PATH does not look. */
const PATH = `${process.env['PATH']}${delimiter}/usr/sbin`;

/** A nats-server with JetStream in a folder of its own; undefined if it is not installed. */
export async function startNatsServer(): Promise<Service | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'batchsender-bench-nats-'));
  const port = await freePort();
  const config = join(folder, 'nats.conf');
  await writeFile(
    config,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${join(folder, 'store')}" }\n`,
  );
  const child = spawn('nats-server', ['-c', config], { stdio: 'ignore', env: { ...process.env, PATH } });
  const ended = once(child, 'exit').catch(() => undefined);
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const until = performance.now() + START_WITHIN_MS;
  while (!(await listens(port))) {
    if (child.pid === undefined || child.exitCode !== null || performance.now() > until) {
      await stop();
      if (child.pid === undefined) return;
      throw new Error('nats-server did not start');
    }
    await sleep(50);
  }
  return { url: `nats://127.0.0.1:${port}`, stop };
}

export function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
