import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimForWatchdog } from './owner.ts';
import { findPostmaster, type Postmaster } from './pid-file.ts';
import { stopPostmaster } from './postmaster.ts';
import { waitForEnd } from './processes.ts';
import type { WatchdogOrders } from './watchdog.ts';

/** The pipe closes a moment before the parent is gone. */
const PARENT_END_MS = 10_000;

/** A postmaster that was being started when its parent died has not written its file yet. */
async function lookTwice(pgdata: string): Promise<Postmaster | undefined> {
  for (let tries = 0; tries < 10; tries++) {
    const found = await findPostmaster(pgdata);
    if (found !== undefined) return found;
    await sleep(100);
  }
  return undefined;
}

/** What the watchdog does when its parent is gone: stops Postgres, as the folder's owner for so long. */
async function stopForDeadParent(orders: WatchdogOrders): Promise<string> {
  if (!(await waitForEnd(orders.parent, PARENT_END_MS))) return 'the parent lives on';
  const held = await claimForWatchdog(orders.folder);
  // Postgres is the new owner's business now: it adopts it.
  if (held === undefined) return 'another process owns the folder now';
  try {
    const postmaster = await lookTwice(orders.pgdata);
    if (postmaster === undefined) return 'no Postgres was running';
    await stopPostmaster(postmaster);
    return `stopped Postgres with PID ${postmaster.pid}`;
  } finally {
    await held.release();
  }
}

async function main(argument: string): Promise<void> {
  const orders = JSON.parse(argument) as WatchdogOrders;
  const outcome = await stopForDeadParent(orders).catch((error: unknown) => String(error));
  const line = `${new Date().toISOString()} the process with PID ${orders.parent.pid} is gone: ${outcome}\n`;
  await writeFile(join(orders.folder, 'watchdog.log'), line).catch(() => undefined);
}

await main(process.argv[2] ?? '');
