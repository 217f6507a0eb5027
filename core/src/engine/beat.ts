export interface BeatOptions {
  work(): Promise<void>;
  /** From the end of one beat to the next. */
  readonly everyMs: number;
  /** A beat failed; the next one comes all the same. */
  onError(error: Error): void;
}

/** Work that is done again and again, never twice at once, until it is stopped. */
export class Beat {
  readonly #options: BeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;

  constructor(options: BeatOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  start(inMs = 0): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#options
        .work()
        .catch((error: Error) => this.#options.onError(error))
        .finally(() => this.start(this.#options.everyMs));
    }, inMs);
  }

  /** No beat comes any more; resolves when the one that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#beating;
  }
}
