/**
 * Waits inside of a call, as a sandbox does that plays a slow provider.
 *
 * @param ms milliseconds; 0 does not wait at all.
 * @returns false if the call ended first: nothing may happen any more.
 */
export function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms === 0 || signal.aborted) return Promise.resolve(!signal.aborted);
  return new Promise((resolve) => {
    const end = (isOver: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener('abort', onAbort);
  });
}

/** Resolves with `value` when the call ends, at its deadline or with the process: nobody answered it. */
export function whenEnded<T>(signal: AbortSignal, value: T): Promise<T> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value);
    else signal.addEventListener('abort', () => resolve(value), { once: true });
  });
}
