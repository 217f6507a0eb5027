import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A nats-server that can be started. */
export interface NatsBinary {
  readonly path: string;
  readonly version: string;
}

export const NATS_MISSING =
  'nats-server is not on the PATH: apt-get install nats-server (NATS_SERVERS may list further ones)';

/** The nats-server of the PATH, and those that `NATS_SERVERS` lists, with `:` between them. */
export function natsBinaries(): NatsBinary[] {
  const paths = ['nats-server', ...(process.env['NATS_SERVERS'] ?? '').split(delimiter).filter(Boolean)];
  return paths.flatMap((path) => {
    const version = versionOf(path);
    return version === undefined ? [] : [{ path, version }];
  });
}

function versionOf(path: string): string | undefined {
  try {
    const env = { ...process.env, PATH: `${process.env['PATH']}${delimiter}/usr/sbin` };
    return /v([\d.]+)/.exec(execFileSync(path, ['-v'], { encoding: 'utf8', env }))?.[1];
  } catch {
    return undefined;
  }
}

/** A nats-server with JetStream, on a port and a folder of its own. */
export interface NatsServer {
  readonly port: number;
  readonly url: string;
  /** The folder of its streams. */
  readonly store: string;
  /** Ends it without a chance to do anything about it. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and folder. */
  start(): Promise<void>;
  /** Empties the folder of the ended server. */
  wipe(): void;
  /** Keeps a copy of the folder; `restore` puts it back. The server must have ended. */
  copy(): void;
  restore(): void;
  /** Puts the copy in place of the folder, which becomes the copy. The server must have ended. */
  rollBack(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** Further lines of its configuration. */
  readonly config?: string;
  /** Files that the configuration names, by their name in the server's folder (`$DIR`). */
  readonly files?: Readonly<Record<string, string>>;
  readonly jetStream?: boolean;
}

export async function startNats(binary: NatsBinary, options: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'batchsender-nats-'));
  const port = await freePort();
  const { config = '', files = {}, jetStream = true } = options;
  const store = join(folder, 'store');
  const copied = join(folder, 'copy');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    ...(jetStream
      ? [`jetstream { store_dir: "${store}", max_file_store: 1GB, max_memory_store: 64MB }`]
      : []),
    config.replaceAll('$DIR', folder),
  ];
  const file = join(folder, 'nats.conf');
  writeFileSync(file, lines.join('\n'));
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const start = async () => {
    child = await spawnServer(binary, file, port);
  };
  await start();
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    store,
    kill,
    start,
    wipe: () => rmSync(store, { recursive: true, force: true }),
    copy: () => cpSync(store, copied, { recursive: true }),
    rollBack: () => {
      const today = join(folder, 'today');
      renameSync(store, today);
      renameSync(copied, store);
      renameSync(today, copied);
    },
    restore: () => {
      rmSync(store, { recursive: true, force: true });
      cpSync(copied, store, { recursive: true });
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function spawnServer({ path }: NatsBinary, file: string, port: number): Promise<ChildProcess> {
  const env = { ...process.env, PATH: `${process.env['PATH']}${delimiter}/usr/sbin` };
  const child = spawn(path, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'], env });
  let log = '';
  child.stderr?.on('data', (data) => {
    log += String(data);
  });
  const deadline = performance.now() + 20_000;
  while (!/Server is ready/.test(log) || !(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`nats-server did not start: ${log}`);
    }
    await sleep(20);
  }
  return child;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
