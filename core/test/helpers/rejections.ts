/**
 * Does work that leaves rejections behind which nobody awaits, and answers them. Vitest takes each for a failed run;
 * here they are what is looked for.
 */
export async function withRejections<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly rejected: readonly unknown[] }> {
  const listeners = process.listeners('unhandledRejection');
  const rejected: unknown[] = [];
  const keep = (reason: unknown) => rejected.push(reason);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', keep);
  try {
    const result = await work();
    // What the last call left behind is reported after this turn.
    await new Promise(setImmediate);
    return { result, rejected };
  } finally {
    process.off('unhandledRejection', keep);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
}
