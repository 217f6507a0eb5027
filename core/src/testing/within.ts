import { ConformanceError } from './conformance-error.ts';

/** Waits for a promise, at most `limitMs` milliseconds. @throws ConformanceError with `message` after that. */
export async function within<T>(limitMs: number, work: T | PromiseLike<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ConformanceError(message)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks every 10 ms until the answer is true, at most `limitMs` milliseconds; false if it never was. */
export async function until(limitMs: number, isTrue: () => boolean): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!isTrue()) {
    if (performance.now() >= end) return false;
    await sleep(10);
  }
  return true;
}

export const sleep = (forMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));
