/** Processes that are ready get this long to come to rest. */
export const SETTLE_MS = 1_000;
/** Between two jobs on the idle system. */
export const PAUSE_MS = 5;
/** Jobs before those that count. */
export const WARM_UP = 1_000;
