import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { limitHeapGrowth } from '../cli/limit-heap.ts';
import type { OrphanWatch } from './orphan-watch.ts';
import type { ChildCalls, ParentCalls } from './protocol.ts';

/** As long as the parent would give it. */
const GRACE_MS = 20_000;
/** A child whose parent died lets its calls end for so long. */
const ORPHAN_GRACE_MS = 5_000;
/** Then its own thread ends it. */
const ORPHAN_KILL_MS = 10_000;

limitHeapGrowth();
// Loaded after that, so that what loading needs for a moment is collected too.
const { openChannel } = await import('./channel.ts');
const { serveParent } = await import('./serve-parent.ts');

const watch: OrphanWatch = { parentPid: Number(process.argv[2]), graceMs: ORPHAN_KILL_MS };
new Worker(new URL(`./orphan-watch${extname(import.meta.url)}`, import.meta.url), {
  workerData: watch,
}).unref();

const stop = serveParent(openChannel<ParentCalls, ChildCalls>(process));
// Ctrl+C reaches the whole group of processes, and the parent sends its orders. A SIGTERM may be meant for us.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => stop(GRACE_MS));
process.on('disconnect', () => stop(ORPHAN_GRACE_MS));
