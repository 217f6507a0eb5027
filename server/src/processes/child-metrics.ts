import { type MetricsSnapshot, merge, retired } from '../metrics/snapshot.ts';
import type { Child } from './child.ts';

/** A child that is busy shows its last values. */
const ANSWER_MS = 1_000;

/** The metrics of child processes. What was counted by those that ended stays in the sums, as far as they were asked. */
export class ChildMetrics {
  readonly #last = new Map<Child, MetricsSnapshot>();
  #past: MetricsSnapshot = [];

  /** Asks the children that live, and answers what is known of all. */
  async collect(children: Iterable<Child>): Promise<readonly MetricsSnapshot[]> {
    await Promise.all([...children].map((child) => this.ask(child)));
    return [this.#past, ...this.#last.values()];
  }

  async ask(child: Child): Promise<void> {
    try {
      const snapshot = await child.channel.ask('metrics', null, ANSWER_MS);
      if (!child.hasEnded) this.#last.set(child, snapshot);
    } catch {
      // It is loading its plugins, stands still, or is gone.
    }
  }

  /** A child has ended. */
  async retire(child: Child): Promise<void> {
    const last = this.#last.get(child);
    this.#last.delete(child);
    if (last !== undefined) this.#past = await merge([this.#past, retired(last)]);
  }
}
