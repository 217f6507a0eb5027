import { setTimeout as sleep } from 'node:timers/promises';
import type { Failpoint, Fault, Operation, Phase } from './failpoint.ts';

/** Time for a statement to leave this process before something happens while it is under way. */
const UNDER_WAY_MS = 2;

/** Counts the hits of each point, and lets faults happen. */
export class Failpoints {
  readonly #points: { readonly point: Failpoint; hits: number }[];
  readonly #onFire: (name: string) => void;

  constructor(points: readonly Failpoint[], onFire: (name: string) => void = () => undefined) {
    this.#onFire = onFire;
    this.#points = points.map((point) => ({ point, hits: 0 }));
  }

  /** The same function if nothing is to go wrong with the operation. */
  wrap<A extends readonly unknown[], T>(
    operation: Operation,
    work: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<T> {
    if (!this.has(operation)) return work;
    return (...args) => this.around(operation, () => work(...args));
  }

  has(operation: Operation): boolean {
    return this.#points.some(({ point }) => point.operation === operation);
  }

  async around<T>(operation: Operation, work: () => T | Promise<T>): Promise<T> {
    await this.#hit('before', operation);
    const running = Promise.resolve(work());
    // What it comes to may never be asked for.
    running.catch(() => undefined);
    if (this.#points.some(({ point }) => point.operation === operation && point.phase === 'during')) {
      await sleep(UNDER_WAY_MS);
      await this.#hit('during', operation);
    }
    const answer = await running;
    await this.#hit('after', operation);
    return answer;
  }

  async #hit(phase: Phase, operation: Operation): Promise<void> {
    for (const entry of this.#points) {
      const { point } = entry;
      if (point.phase !== phase || point.operation !== operation) continue;
      entry.hits += 1;
      const fires = entry.hits >= point.hit && entry.hits < point.hit + point.times;
      if (!fires) continue;
      const name = `${phase}-${operation}`;
      this.#onFire(name);
      await happen(point.fault, name);
    }
  }
}

async function happen(fault: Fault, name: string): Promise<void> {
  switch (fault.kind) {
    case 'throw':
      throw Object.assign(new Error(`The failpoint ${name} fired`), { code: 'failpoint' });
    case 'drop':
      throw Object.assign(new Error(`Connection terminated by the failpoint ${name}`), {
        code: 'ECONNRESET',
      });
    case 'delay':
      await sleep(fault.ms);
      return;
    case 'stall':
      // Blocks the thread: no timer fires and no socket is read meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.ms);
      return;
    case 'stop':
      process.kill(process.pid, 'SIGSTOP');
      return;
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      // The signal comes at once; nothing more must happen before.
      await new Promise<never>(() => undefined);
  }
}
