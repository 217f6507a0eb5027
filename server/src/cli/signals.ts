/** Two signals within this time are one: npm passes on a Ctrl+C that the terminal has sent already. */
const SAME_MS = 500;

/** Where signals come from: `process`. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

/**
 * The first SIGTERM or SIGINT stops gracefully, a second one at once. Handlers are set in any
 * case, since the kernel ignores signals without one for PID 1.
 */
export function onStopSignal(source: SignalSource, stop: () => void, stopNow: () => void): void {
  let firstAt: number | undefined;
  const handle = (): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      stop();
    } else if (now - firstAt > SAME_MS) {
      stopNow();
    }
  };
  source.on('SIGTERM', handle);
  source.on('SIGINT', handle);
}
