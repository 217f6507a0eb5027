import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { disarmStalePidFile, findPostmaster, isPostmasterOf } from '../../src/embedded/pid-file.ts';
import { kill9, makeZombie, query, quiet, type Scratch, scratch, serverOf } from '../helpers/embedded.ts';

let folder: Scratch;
beforeAll(async () => {
  folder = await scratch();
});
afterEach(() => folder.end());
afterAll(() => folder.remove());

const settings = { fsync: 'off' };

describe('isPostmasterOf', () => {
  const info = (command: string, cwd?: string) => ({
    pid: 1,
    startedAt: '1',
    command,
    ...(cwd && { folder: cwd }),
  });

  it.each([
    ['/opt/pg/bin/postgres -D /data/pgdata -p 5432', undefined, true],
    ['/usr/bin/postgres', '/data/pgdata', true],
    ['postmaster -p 1', '/data/pgdata', true],
    ['/opt/pg/bin/postgres -D /data/pgdata2 -p 5432', '/data/pgdata2', false],
    ['postgres: checkpointer', '/other', false],
    ['vim /data/pgdata/postgresql.conf', '/data/pgdata', false],
    ['grep -D /data/pgdata postgres', undefined, false],
  ])('%s in %s: %s', (command, cwd, expected) => {
    expect(isPostmasterOf(info(command, cwd), '/data/pgdata')).toBe(expected);
  });
});

it.each([
  ['a living foreign process', false],
  ['a zombie', true],
])('E23: starts over a stale postmaster.pid that names %s', async (_name, isZombie) => {
  const first = await folder.hold({ settings });
  await query(serverOf(first).url, 'CREATE TABLE IF NOT EXISTS t AS SELECT 42 AS n');
  const file = join(folder.path, 'db', 'pgdata', 'postmaster.pid');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await kill9(first);
  await quiet(folder.path);
  const { pid, parent } = await makeZombie();
  await writeFile(file, [isZombie ? pid : parent.pid, ...lines.slice(1)].join('\n'));
  await sleep(100);
  const second = serverOf(await folder.hold({ settings }));
  parent.kill('SIGKILL');
  expect(await query(second.url, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
});

it('E23: recovers when Postgres and its parent were killed together', async () => {
  const first = await folder.hold({ settings });
  await query(serverOf(first).url, 'CREATE TABLE u AS SELECT 42 AS n');
  process.kill(serverOf(first).pid, 'SIGKILL');
  await kill9(first);
  const second = serverOf(await folder.hold({ settings }));
  expect(await query(second.url, 'SELECT n FROM u')).toEqual([{ n: 42 }]);
});

it('never touches the file of a living Postgres', async () => {
  const { pid, port } = serverOf(await folder.hold({ settings }));
  const pgdata = join(folder.path, 'db', 'pgdata');
  const before = await readFile(join(pgdata, 'postmaster.pid'), 'utf8');
  expect(await findPostmaster(pgdata)).toMatchObject({ pid, port, ready: true, stopping: false });
  await disarmStalePidFile(pgdata);
  expect(await readFile(join(pgdata, 'postmaster.pid'), 'utf8')).toBe(before);
});

it('takes away an empty file, which a power failure leaves behind', async () => {
  const pgdata = join(folder.path, 'pgdata');
  await mkdir(pgdata);
  await writeFile(join(pgdata, 'postmaster.pid'), '');
  expect(await findPostmaster(pgdata)).toBeUndefined();
  await disarmStalePidFile(pgdata);
  expect(await readdir(pgdata)).toEqual([]);
});
