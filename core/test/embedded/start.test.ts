import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/embedded/index.ts';
import { processesOn, query, quiet, type Scratch, scratch, serverOf, stop } from '../helpers/embedded.ts';

let folder: Scratch;
beforeAll(async () => {
  folder = await scratch();
});
afterEach(() => folder.end());
afterAll(() => folder.remove());

const settings = { fsync: 'off' };

const uidOf = (pid: number) =>
  Number(execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }));
const modeOf = async (...path: string[]) => (await stat(join(...path))).mode & 0o777;

it('E23: makes a durable database that only this machine and only the password can reach', async () => {
  const dataDir = join(folder.path, 'durable');
  const server = await startEmbeddedPostgres({ dataDir });
  expect(server.dataDir).toBe(dataDir);
  const rows = await query(server.url, 'SELECT name, setting FROM pg_settings');
  expect(Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))).toMatchObject({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    server_encoding: 'UTF8',
  });
  const wrong = server.url.replace(/:[^:@]+@/, ':wrong@');
  await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  if (process.getuid?.() === 0) expect(uidOf(server.pid)).not.toBe(0);
  expect(await modeOf(dataDir, 'pgdata')).toBe(0o700);
  expect(await modeOf(dataDir, 'pgdata', 'batchsender.json')).toBe(0o600);
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(await processesOn(dataDir)).toEqual([]);
});

it('keeps data and password over a stop, and statements and row values out of the log', async () => {
  const first = await folder.hold({ settings });
  const { url } = serverOf(first);
  await query(url, 'CREATE TABLE t (email text CHECK (length(email) < 5))');
  await expect(query(url, "INSERT INTO t VALUES ('ann@example.com')")).rejects.toThrow(/check constraint/);
  const file = (await query(url, 'SELECT pg_current_logfile() AS file'))[0]?.['file'] as string;
  const log = await readFile(join(folder.path, 'db', 'pgdata', file), 'utf8');
  expect(log).toContain('violates check constraint');
  expect(log).not.toContain('ann@');
  await stop(first);
  const again = serverOf(await folder.hold({ settings }));
  expect(new URL(again.url).password).toBe(new URL(url).password);
  expect(await query(again.url, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 0 }]);
});

it('E23: refuses a second server on the folder, naming PID and port', async () => {
  const first = await folder.hold({ settings });
  const { port, url } = serverOf(first);
  const second = await folder.hold({ settings });
  expect(second.error?.code).toBe('folder_in_use');
  expect(second.error?.message).toContain(`PID ${first.child.pid}`);
  expect(second.error?.message).toContain(`port ${port}`);
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('refuses a fixed port that another program listens on, and leaves nothing running', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const refused = await folder.hold({ port, settings });
  expect(refused.error).toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(`Port ${port}`),
  });
  other.close();
  const accepted = await folder.hold({ port, settings });
  expect(serverOf(accepted).port).toBe(port);
});

it('says what Postgres said when it does not start', async () => {
  const failed = await folder.hold({ settings: { max_connections: 'many' } });
  expect(failed.error?.code).toBe('start_failed');
  expect(failed.error?.message).toMatch(/invalid value for parameter "max_connections"/);
  expect(await processesOn(folder.path)).toEqual([]);
});

it('refuses a port that is none', async () => {
  const start = startEmbeddedPostgres({ dataDir: join(folder.path, 'db'), port: 70_000 });
  await expect(start).rejects.toMatchObject({ code: 'invalid_option' });
});

it('tells its caller when Postgres ends by itself', async () => {
  const ended = Promise.withResolvers<void>();
  const dataDir = join(folder.path, 'db');
  const server = await startEmbeddedPostgres({ dataDir, settings, onUnexpectedEnd: ended.resolve });
  process.kill(server.pid, 'SIGKILL');
  await ended.promise;
  await server.stop();
  expect(await processesOn(dataDir)).toEqual([]);
});

it('does not keep its process alive, and ends with it', async () => {
  const entry = new URL('../../src/embedded/index.ts', import.meta.url).href;
  const options = JSON.stringify({ dataDir: join(folder.path, 'db'), settings });
  const script = `const { startEmbeddedPostgres } = await import('${entry}'); await startEmbeddedPostgres(${options});`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
  await quiet(folder.path);
});
