import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  type Holder,
  kill9,
  processesOn,
  query,
  quiet,
  type Scratch,
  scratch,
  serverOf,
} from '../helpers/embedded.ts';

let folder: Scratch;
beforeAll(async () => {
  folder = await scratch();
});
afterEach(() => folder.end());
afterAll(() => folder.remove());

/** Starts a server and commits a row, with nothing relaxed. */
async function holdWithRow(): Promise<Holder> {
  const holder = await folder.hold();
  await query(serverOf(holder).url, 'DROP TABLE IF EXISTS t');
  await query(serverOf(holder).url, 'CREATE TABLE t AS SELECT 42 AS n');
  return holder;
}

const rows = (holder: Holder) => query(serverOf(holder).url, 'SELECT n FROM t');

async function killWatchdog(): Promise<void> {
  const pids = await processesOn(folder.path, 'batchsender-watchdog');
  expect(pids).toHaveLength(1);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

it('E23: stops Postgres soon after its parent was killed, and the next start has all that was committed', async () => {
  const first = await holdWithRow();
  await kill9(first);
  await sleep(2_000);
  expect(await processesOn(folder.path)).toEqual([]);
  const second = await folder.hold();
  expect(serverOf(second).pid).not.toBe(serverOf(first).pid);
  expect(await rows(second)).toEqual([{ n: 42 }]);
});

it('E23: a start while the watchdog is stopping Postgres ends with a database that stays', async () => {
  let holder = await holdWithRow();
  // The delays reach from "the watchdog has not noticed yet" to "Postgres is shutting down".
  for (const delayMs of [0, 0, 50, 120, 200]) {
    await kill9(holder);
    await sleep(delayMs);
    holder = await folder.hold();
    expect(await rows(holder)).toEqual([{ n: 42 }]);
  }
  await sleep(1_000);
  expect(await rows(holder)).toEqual([{ n: 42 }]);
  expect(await processesOn(folder.path, 'batchsender-watchdog')).toHaveLength(1);
});

it('E23: adopts a Postgres whose watchdog was killed too, and guards it with a new one', async () => {
  const first = await holdWithRow();
  await killWatchdog();
  await kill9(first);
  await sleep(300);
  const second = await folder.hold();
  expect(serverOf(second)).toEqual(serverOf(first));
  expect(await rows(second)).toEqual([{ n: 42 }]);
  await kill9(second);
  await quiet(folder.path, 5_000);
});

it('E23: replaces rather than adopts a Postgres that runs with other settings', async () => {
  const first = await holdWithRow();
  await killWatchdog();
  await kill9(first);
  const second = await folder.hold({ settings: { work_mem: '8MB' } });
  expect(serverOf(second).pid).not.toBe(serverOf(first).pid);
  expect(await query(serverOf(second).url, 'SHOW work_mem')).toEqual([{ work_mem: '8MB' }]);
  expect(await rows(second)).toEqual([{ n: 42 }]);
});

it('a watchdog that was killed is replaced while the parent lives', async () => {
  const holder = await folder.hold();
  await killWatchdog();
  await sleep(1_500);
  await kill9(holder);
  await quiet(folder.path, 5_000);
});
