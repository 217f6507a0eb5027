/** Two signals within this time are one: npm passes on a Ctrl+C that the terminal has sent already. */
const SAME_MS = 500;

/** Calls `first` at the first signal to stop, and `again` at a later one. */
export function onInterrupt(first: (signal: NodeJS.Signals) => void, again: () => void): void {
  let firstAt: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      first(signal);
    } else if (now - firstAt > SAME_MS) {
      again();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle);
}
