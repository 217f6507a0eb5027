import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/smtp/pace.ts';

describe('a pace', () => {
  it('spreads messages evenly, and takes no turn for one that is given back', () => {
    const pace = new Pace(2);
    expect([0, 0, 0].map((nowMs) => pace.take(nowMs, 1_000))).toEqual([0, 500, 1_000]);
    expect(pace.take(0, 1_000)).toBe(1_500);
    expect(pace.take(0, 1_000)).toBe(1_500);
    expect(pace.take(700, 1_000)).toBe(800);
  });

  it('saves nothing up while there is no work', () => {
    const pace = new Pace(10);
    expect([5_000, 5_000, 5_000].map((nowMs) => pace.take(nowMs, 1_000))).toEqual([0, 100, 200]);
  });

  it('without a limit lets all go at once', () => {
    const pace = new Pace(undefined);
    expect([0, 0].map((nowMs) => pace.take(nowMs, 1_000))).toEqual([0, 0]);
  });
});
