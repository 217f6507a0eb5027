import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimFolder, claimForWatchdog } from '../../src/embedded/owner.ts';
import { pidSpace, processInfo } from '../../src/embedded/processes.ts';
import { type Scratch, scratch } from '../helpers/embedded.ts';

let folder: Scratch;
beforeEach(async () => {
  folder = await scratch();
});
afterEach(() => folder.remove());

async function leave(fields: object): Promise<void> {
  const self = {
    pid: process.pid,
    startedAt: (await processInfo(process.pid))?.startedAt,
    pidSpace: await pidSpace(),
  };
  const owner = { ...self, role: 'server', settled: true, port: 5432, ...fields };
  await writeFile(join(folder.path, 'owner-1-abc.lock'), JSON.stringify(owner));
}

it('of many that claim a folder at once, exactly one gets it; after its release, the next', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => claimFolder(folder.path)));
  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(won).toHaveLength(1);
  expect(lost.map((outcome) => outcome.reason.code)).toEqual(Array(11).fill('folder_in_use'));
  await won[0]?.value.release();
  expect(await readdir(folder.path)).toEqual([]);
  await (await claimFolder(folder.path)).release();
});

it('names PID and port of a living owner', async () => {
  await leave({});
  await expect(claimFolder(folder.path)).rejects.toThrow(
    `PID ${process.pid}, whose Postgres listens on port 5432`,
  );
});

it('takes over from a dead owner, also if another process has its PID now', async () => {
  await leave({ startedAt: 'long ago' });
  const owned = await claimFolder(folder.path);
  expect(await readdir(folder.path)).toHaveLength(1);
  await owned.release();
});

it('takes over from a file that nobody can read', async () => {
  await writeFile(join(folder.path, 'owner-1-abc.lock'), '{"pid":');
  await (await claimFolder(folder.path)).release();
});

it('refuses while an owner in another container gives signs of life', async () => {
  await leave({ pidSpace: 'elsewhere', pid: 1, startedAt: '1' });
  const pulse = setInterval(() => void leave({ pidSpace: 'elsewhere', pid: 1, startedAt: '1' }), 500);
  await expect(claimFolder(folder.path)).rejects.toMatchObject({ code: 'folder_in_use' });
  clearInterval(pulse);
});

it('takes over from an owner in another container that fell silent', async () => {
  await leave({ pidSpace: 'elsewhere', pid: 1, startedAt: '1' });
  await (await claimFolder(folder.path, 1_000)).release();
});

it('a watchdog leaves the folder to a new server, and a new server waits for a watchdog', async () => {
  const server = await claimFolder(folder.path);
  expect(await claimForWatchdog(folder.path)).toBeUndefined();
  await server.release();
  const watchdog = await claimForWatchdog(folder.path);
  const next = claimFolder(folder.path);
  const first = await Promise.race([
    next.then(() => 'server'),
    new Promise((resolve) => setTimeout(resolve, 300, 'waits')),
  ]);
  expect(first).toBe('waits');
  await watchdog?.release();
  await (await next).release();
});
