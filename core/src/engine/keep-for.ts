/**
 * Keeps what `read` answers for `keepMs`. Those who ask while it reads share the answer; an error
 * is not kept.
 */
export function keepFor<T>(keepMs: number, read: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  let readAt = 0;
  return () => {
    const now = performance.now();
    if (kept !== undefined && now - readAt < keepMs) return kept;
    const reading = read();
    kept = reading;
    readAt = now;
    reading.catch(() => {
      if (kept === reading) kept = undefined;
    });
    return reading;
  };
}
