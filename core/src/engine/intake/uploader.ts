import type { JobPayload } from '../../plugin/index.ts';
import type { Upload, UploadRow } from '../api.ts';
import { BatchSenderError } from '../errors.ts';
import type { IntakeStore, UploadTotals } from '../host-store.ts';
import { checkRows, type RowCheck } from './row-check.ts';

/** Slices under way at once. */
const WRITERS = 4;
const ALIVE_MS = 5_000;

export interface UploaderOptions {
  readonly store: IntakeStore;
  readonly uploadId: string;
  readonly batchId: string;
  readonly type: string;
  readonly defaults: JobPayload | null;
  readonly firstSeq: number;
  readonly check: RowCheck;
  commit(totals: UploadTotals): Promise<void>;
}

/** Writes slices under an upload, some at once, and keeps its sign of life. */
export class Uploader implements Upload {
  readonly batchId: string;
  readonly type: string;
  readonly defaults: JobPayload | null;
  readonly #options: UploaderOptions;
  readonly #writing = new Set<Promise<void>>();
  readonly #alive: NodeJS.Timeout;
  #rows = 0;
  #bytes = 0;
  #failure: unknown;
  #ended = false;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.batchId = options.batchId;
    this.type = options.type;
    this.defaults = options.defaults;
    this.#alive = setInterval(() => {
      options.store.touchUpload(options.uploadId).catch(() => undefined);
    }, ALIVE_MS);
    this.#alive.unref();
  }

  async write(rows: readonly UploadRow[]): Promise<void> {
    if (this.#ended) throw new BatchSenderError('upload_lost', 'The upload has ended');
    this.#throwFailure();
    if (rows.length === 0) return;
    checkRows(rows, (row) => row.payload, this.#rows, this.#options.check);
    const texts = rows.map((row) => row.text ?? JSON.stringify(row.payload));
    for (const text of texts) this.#bytes += text.length;
    const slice = { firstSeq: this.#options.firstSeq + this.#rows, texts };
    this.#rows += rows.length;
    const { store, uploadId, batchId } = this.#options;
    const writing = store
      .writeSlice(uploadId, batchId, slice)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    while (this.#writing.size >= WRITERS) await Promise.race(this.#writing);
    this.#throwFailure();
  }

  async commit(options: { bodyHash?: string; idempotencyKey?: string } = {}): Promise<{ accepted: number }> {
    await Promise.all(this.#writing);
    this.#throwFailure();
    if (this.#rows === 0) {
      await this.abort();
      throw new BatchSenderError('empty_upload', 'The upload holds no jobs: send at least one');
    }
    this.#end();
    const { bodyHash, idempotencyKey: key } = options;
    await this.#options.commit({
      rows: this.#rows,
      bytes: this.#bytes,
      ...(bodyHash === undefined ? {} : { bodyHash }),
      ...(bodyHash === undefined || key === undefined
        ? {}
        : { claim: { key, bodyHash, ref: String(this.#rows) } }),
    });
    return { accepted: this.#rows };
  }

  async abort(): Promise<void> {
    this.#end();
    await Promise.all(this.#writing);
    await this.#options.store.abortUpload(this.#options.uploadId);
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#alive);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
