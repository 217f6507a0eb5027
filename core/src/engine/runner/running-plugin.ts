import { AsyncLocalStorage } from 'node:async_hooks';

/** The plugin whose code is running, so that a rejection nobody awaited can be charged to it (E22). */
export const runningPlugin = new AsyncLocalStorage<string>();
