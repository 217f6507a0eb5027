import { chmod, chown, cp, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installedBinaries } from '../../src/embedded/binaries.ts';
import { findPlace } from '../../src/embedded/place.ts';
import { runAs } from '../../src/embedded/user.ts';
import { HOLD, processesOn, query, type Scratch, scratch, serverOf, stop } from '../helpers/embedded.ts';

const settings = { fsync: 'off' };
const isRoot = process.getuid?.() === 0;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nobody = { uid: 65_534, gid: 65_534 };

/** Whether `nobody` can run Node and read this clone; not so under `/root`. */
const nobodyCanTest =
  isRoot &&
  (await runAs(nobody, '/bin/sh', [
    '-c',
    '"$1" --version && test -r "$2"',
    'sh',
    process.execPath,
    HOLD,
  ]).then(
    () => true,
    () => false,
  ));

let folder: Scratch;
beforeEach(async () => {
  folder = await scratch();
});
afterEach(() => folder.remove());

describe.runIf(isRoot)('as root', () => {
  let staging: string[];
  let closed: string;
  beforeEach(async () => {
    // What a clone under /root is like: only root can enter.
    closed = join(folder.path, 'closed');
    await mkdir(closed, { mode: 0o700 });
    staging = [join(folder.path, 'staging')];
  });

  it('E23: puts the data where the user who runs Postgres can reach it, and finds it again', async () => {
    const dataDir = join(closed, 'db');
    const first = await folder.hold({ dataDir, staging, settings });
    const server = serverOf(first);
    expect(dirname(server.dataDir)).toBe(staging[0]);
    const note = JSON.parse(await readFile(join(dataDir, 'data-is-elsewhere.json'), 'utf8'));
    expect(note).toEqual({ place: server.dataDir });
    await query(server.url, 'CREATE TABLE t AS SELECT 42 AS n');
    const rival = await folder.hold({ dataDir, staging, settings });
    expect(rival.error?.code).toBe('folder_in_use');
    await stop(first);
    // Also if the wanted folder can be reached by now.
    await chmod(closed, 0o755);
    const second = await folder.hold({ dataDir, staging, settings });
    expect(serverOf(second).dataDir).toBe(server.dataDir);
    expect(await query(serverOf(second).url, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
    await stop(second);
    await rm(server.dataDir, { recursive: true });
    const { error } = await folder.hold({ dataDir, staging, settings });
    expect(error).toMatchObject({ code: 'folder_lost', message: expect.stringContaining(server.dataDir) });
  });

  it('E23: copies binaries that lie in a private folder and lack their symbolic links', async () => {
    const binariesRoot = join(closed, 'native');
    const filter = async (path: string) => !(await lstat(path)).isSymbolicLink() && !path.endsWith('.a');
    await cp(installedBinaries().root, binariesRoot, { recursive: true, filter });
    const server = serverOf(await folder.hold({ binariesRoot, settings }));
    expect(server.dataDir).toBe(join(folder.path, 'db'));
    expect(await query(server.url, "SELECT upper('ä') AS u")).toEqual([{ u: 'Ä' }]);
    expect(await processesOn(join(folder.path, 'db', 'binaries-'))).toContain(server.pid);
  });

  it('passes over a staging folder that others can write to', async () => {
    const open = join(folder.path, 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    const { error } = await folder.hold({ dataDir: join(closed, 'db'), staging: [open], settings });
    expect(error).toMatchObject({ code: 'folder_forbidden', message: expect.stringContaining(open) });
  });

  it('does not begin empty when a database in the wanted folder got out of reach', async () => {
    await mkdir(join(closed, 'pgdata'));
    await chown(join(closed, 'pgdata'), nobody.uid, nobody.gid);
    await writeFile(join(closed, 'batchsender-postgres.json'), '{"format":1}\n');
    const place = findPlace(closed, staging, silent);
    await expect(place).rejects.toMatchObject({
      code: 'folder_forbidden',
      message: expect.stringContaining('chmod o+x'),
    });
  });
});

// As root in a clone that `nobody` cannot read, this is covered by running the tests as a normal user.
describe.runIf(nobodyCanTest)('as a normal user', () => {
  it('E23: runs Postgres as that user in the wanted folder, which root then can use as well', async () => {
    const dataDir = join(folder.path, 'home', 'db');
    await mkdir(dirname(dataDir), { mode: 0o700 });
    await chown(dirname(dataDir), nobody.uid, nobody.gid);
    const first = await folder.hold({ dataDir, settings }, nobody);
    const server = serverOf(first);
    expect(server.dataDir).toBe(dataDir);
    await query(server.url, 'CREATE TABLE t AS SELECT 42 AS n');
    await stop(first);
    const asRoot = await folder.hold({ dataDir, settings });
    expect(serverOf(asRoot).dataDir).toBe(dataDir);
    expect(await query(serverOf(asRoot).url, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
    await stop(asRoot);
    const again = await folder.hold({ dataDir, settings }, nobody);
    expect(await query(serverOf(again).url, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
  });

  it('says who owns a database that is not theirs', async () => {
    const dataDir = join(folder.path, 'db');
    await mkdir(join(dataDir, 'pgdata'), { recursive: true });
    await writeFile(join(dataDir, 'batchsender-postgres.json'), '{"format":1}\n');
    await chmod(dataDir, 0o777);
    const { error } = await folder.hold({ dataDir, settings }, nobody);
    expect(error).toMatchObject({
      code: 'folder_forbidden',
      message: expect.stringContaining('user with uid 0'),
    });
  });
});

it('knows a folder by its real path, so that a symbolic link is no second folder', async () => {
  const place = await findPlace(join(folder.path, 'db'), [], silent);
  await symlink(place.wanted, join(folder.path, 'link'));
  expect(await findPlace(join(folder.path, 'link'), [], silent)).toEqual(place);
});

it('says what to do about a data folder that cannot be made', async () => {
  const { error } = await folder.hold({ dataDir: join(fileURLToPath(import.meta.url), 'db') });
  expect(error).toMatchObject({
    code: 'folder_forbidden',
    message: expect.stringContaining('place.test.ts'),
  });
});
