import { addTallies, closesAttempt, type MutableTallies, NO_TALLIES } from '../decisions/tallies.ts';
import type { ChunkEnd, ChunkLease, NewEvent, RunStore, Tallies } from '../store.ts';

export interface RecorderEnv {
  readonly store: RunStore;
  readonly flushMs: number;
  readonly flushSize: number;
  /** Repeats `work` while the database does not answer; gives up when the lease must be lost. */
  persist<T>(work: () => Promise<T>): Promise<T | undefined>;
  onLost(): void;
}

/** Collects the events of one chunk and writes them in flushes (E9). One flush at a time. */
export class Recorder {
  readonly #lease: ChunkLease;
  readonly #env: RecorderEnv;
  #events: NewEvent[] = [];
  #tallies: MutableTallies = { ...NO_TALLIES };
  #flushNo: number;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #lost = false;
  readonly #onWritten: (() => void)[] = [];
  #fences: NewEvent[] = [];
  #onFenced: ((held: boolean) => void) | undefined;
  total: Tallies;

  constructor(lease: ChunkLease, env: RecorderEnv) {
    this.#lease = lease;
    this.#env = env;
    this.#flushNo = lease.flushNo;
    this.total = lease.tallies;
  }

  /** The events of one call; they are never split over two flushes. `onWritten` is called when they are in the log. */
  add(events: readonly NewEvent[], onWritten?: () => void): void {
    if (onWritten !== undefined) {
      // Where there is nothing to write, no flush would come.
      if (events.length === 0) onWritten();
      else this.#onWritten.push(onWritten);
    }
    for (const event of events) {
      this.#events.push(event);
      if (closesAttempt(event.kind)) this.#tallies[event.kind] += 1;
    }
  }

  /**
   * Writes `attempted` for calls that start next, in one statement with the outcomes that wait: where
   * every call is fenced, this is one commit a call instead of two. Without events it only waits until those
   * outcomes are written. False if the lease is lost. One at a time.
   */
  fence(events: readonly NewEvent[]): Promise<boolean> {
    if (this.#lost) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#fences = [...events];
    this.#onFenced = resolve;
    this.#flushSoon();
    return promise;
  }

  /** Starts a flush now if enough has come together, else a little later. */
  schedule(): void {
    if (this.#events.length >= this.#env.flushSize) this.#flushSoon();
    // Somebody waits for these events: only what ends in the same moment is company.
    else if (this.#onWritten.length > 0) this.#soon ??= setImmediate(() => this.#flushSoon());
    else if (this.#events.length > 0) this.#timer ??= setTimeout(() => this.#flushSoon(), this.#env.flushMs);
  }

  /** Writes what is left, and how the chunk is left. False if the lease is lost. */
  async end(how: ChunkEnd): Promise<boolean> {
    this.#clearTimers();
    while (this.#running !== undefined) await this.#running;
    if (!this.#lost) await this.#flush(how);
    callAll(this.#onWritten.splice(0));
    return !this.#lost;
  }

  /** Events that could not be written since the lease is lost. */
  get unwritten(): readonly NewEvent[] {
    return this.#events;
  }

  #flushSoon(): void {
    this.#clearTimers();
    if (this.#lost) this.#fenced(false);
    if (this.#running !== undefined || this.#lost) return;
    this.#running = this.#flush({ kind: 'keep' }).finally(() => {
      this.#running = undefined;
      if (this.#onFenced !== undefined) this.#flushSoon();
      else if (this.#events.length > 0 && !this.#lost) this.schedule();
    });
  }

  #clearTimers(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#timer = undefined;
    this.#soon = undefined;
  }

  async #flush(end: ChunkEnd): Promise<void> {
    const events = this.#events;
    const tallies = this.#tallies;
    const fences = this.#fences;
    if (end.kind === 'keep' && events.length === 0 && fences.length === 0) {
      this.#fenced(true);
      return;
    }
    const fenced = this.#onFenced;
    this.#onFenced = undefined;
    this.#fences = [];
    this.#events = [];
    this.#tallies = { ...NO_TALLIES };
    const written = this.#onWritten.splice(0);
    // Outcomes first: a job that is tried again at once has both.
    const all = fences.length === 0 ? events : [...events, ...fences];
    const flush = { lease: this.#lease, flushNo: this.#flushNo, events: all, tallies, end };
    const applied = await this.#env.persist(() => this.#env.store.flush(flush));
    callAll(written);
    if (applied === true) {
      this.#flushNo += 1;
      this.total = addTallies(this.total, tallies);
    } else {
      this.#lost = true;
      this.#events = [...events, ...this.#events];
      this.#env.onLost();
    }
    fenced?.(applied === true);
  }

  #fenced(held: boolean): void {
    this.#onFenced?.(held);
    this.#onFenced = undefined;
  }
}

function callAll(functions: readonly (() => void)[]): void {
  for (const call of functions) call();
}
