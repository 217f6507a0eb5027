import { workerData } from 'node:worker_threads';

/** What the thread must know of its process. */
export interface OrphanWatch {
  readonly parentPid: number;
  /** A child whose parent is gone ends by itself within this time, if its event loop turns. */
  readonly graceMs: number;
}

const LOOK_MS = 500;

const { parentPid, graceMs } = workerData as OrphanWatch;

// A thread of its own, since the main one may be in the endless loop of a plugin.
const timer = setInterval(() => {
  if (process.ppid === parentPid) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
}, LOOK_MS);
