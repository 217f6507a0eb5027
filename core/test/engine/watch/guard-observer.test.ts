import { expect, it } from 'vitest';
import { guardObserver } from '../../../src/engine/watch/guard-observer.ts';

it('keeps what an observer throws away from the work, and says it once', () => {
  const errors: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_fields: object, message?: string) => void errors.push(message ?? ''),
  };
  class Counting {
    repairs = 0;
    onRepairs(count: number) {
      this.repairs += count;
    }
    onRecovered(): void {
      throw new Error('no');
    }
  }
  const counting = new Counting();
  const guarded = guardObserver(counting, logger);
  guarded.onRepairs?.(2);
  guarded.onRecovered?.(1);
  guarded.onRecovered?.(1);
  expect(counting.repairs).toBe(2);
  expect(errors).toEqual(["the observer's onRecovered threw; its metrics are wrong"]);
  expect(guarded.onFlush).toBeUndefined();
});
