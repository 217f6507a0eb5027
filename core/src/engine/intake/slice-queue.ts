import type { IntakeStore } from '../host-store.ts';
import type { TakenRows } from './take-rows.ts';

/** Slices under way at once. */
const WRITERS = 4;

export interface SliceQueueOptions {
  readonly store: IntakeStore;
  readonly uploadId: string;
  readonly batchId: string;
  readonly firstSeq: number;
  readonly isKeyed: boolean;
}

/**
 * Stores the slices of an upload: some at once; but one after the other where duplicates are left
 * out, since only then it is known where the next one begins.
 */
export class SliceQueue {
  /** Jobs that were stored, or are being stored. */
  stored = 0;
  /** Jobs that were left out. */
  duplicates = 0;
  /** Of the stored payloads. */
  bytes = 0;
  readonly #options: SliceQueueOptions;
  readonly #writing = new Set<Promise<void>>();
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;
  #closed = false;

  constructor(options: SliceQueueOptions) {
    this.#options = options;
  }

  /** Resolves when the next slice may come. @throws what an earlier one failed with. */
  async add(rows: TakenRows): Promise<void> {
    const work = this.#options.isKeyed
      ? this.#last.then(() => this.#writeKeyed(rows))
      : this.#write(rows.texts);
    const writing = work
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#writing.delete(writing));
    this.#last = writing;
    this.#writing.add(writing);
    while (this.#writing.size >= WRITERS) await Promise.race(this.#writing);
    this.throwFailure();
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What waits for its turn is not stored any more. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #write(texts: readonly string[]): Promise<void> {
    const { store, uploadId, batchId, firstSeq } = this.#options;
    const slice = { firstSeq: firstSeq + this.stored, texts };
    this.stored += texts.length;
    for (const text of texts) this.bytes += text.length;
    return store.writeSlice(uploadId, batchId, slice);
  }

  async #writeKeyed({ texts, keys }: TakenRows): Promise<void> {
    if (this.#closed || this.#failure !== undefined) return;
    const { store, uploadId, batchId, firstSeq } = this.#options;
    const slice = { firstSeq: firstSeq + this.stored, texts, keys };
    const { stored, bytes } = await store.writeKeyedSlice(uploadId, batchId, slice);
    this.stored += stored;
    this.duplicates += texts.length - stored;
    this.bytes += bytes;
  }
}
