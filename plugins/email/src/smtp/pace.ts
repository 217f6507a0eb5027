/** Spreads messages evenly over time, for one process. */
export class Pace {
  readonly #gapMs: number;
  #next = 0;

  /** `maxPerSecond` undefined means no limit. */
  constructor(maxPerSecond: number | undefined) {
    this.#gapMs = maxPerSecond === undefined ? 0 : 1_000 / maxPerSecond;
  }

  /**
   * Takes the next turn and answers how long to wait for it, in milliseconds. If that is longer
   * than `limitMs`, no turn is taken.
   */
  take(nowMs: number, limitMs: number): number {
    if (this.#gapMs === 0) return 0;
    const waitMs = Math.max(0, this.#next - nowMs);
    if (waitMs <= limitMs) this.#next = Math.max(this.#next, nowMs) + this.#gapMs;
    return waitMs;
  }
}
