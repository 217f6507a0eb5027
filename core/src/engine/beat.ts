export interface BeatOptions {
  work(): Promise<void>;
  /** From the end of one beat to the next. */
  everyMs(): number;
  /** A beat failed; the next one comes all the same. */
  onError(error: Error): void;
}

/** Work that is done again and again, never twice at once, until it is stopped. */
export class Beat {
  readonly #options: BeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;
  #hurried = false;

  constructor(options: BeatOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  start(inMs = 0): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#hurried = false;
      this.#beating = this.#options
        .work()
        .catch((error: Error) => this.#options.onError(error))
        .finally(() => {
          this.#beating = undefined;
          this.start(this.#hurried ? 0 : this.#options.everyMs());
        });
    }, inMs);
  }

  /** The next beat comes now, or when the one that is under way has ended. */
  hurry(): void {
    if (this.#timer === undefined || this.#stopped) return;
    this.#hurried = true;
    if (this.#beating !== undefined) return;
    clearTimeout(this.#timer);
    this.start();
  }

  /** No beat comes any more; resolves when the one that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#beating;
  }
}
