import type { JobPayload } from '../../plugin/index.ts';
import { BatchSenderError } from '../errors.ts';
import type { IntakeStore, UploadTotals } from '../host-store.ts';
import type { SuppressionTally } from '../suppression/tally.ts';
import type { OnInvalid, RejectedRow, Upload, UploadAnswer, UploadRow } from '../upload.ts';
import { Rejections } from './rejections.ts';
import type { RowCheck } from './row-check.ts';
import { SliceQueue } from './slice-queue.ts';
import { takeRows } from './take-rows.ts';

const ALIVE_MS = 5_000;

export interface UploaderOptions {
  readonly store: IntakeStore;
  readonly uploadId: string;
  readonly batchId: string;
  readonly type: string;
  readonly defaults: JobPayload | null;
  readonly firstSeq: number;
  /** The batch leaves duplicates out. */
  readonly isKeyed: boolean;
  readonly onInvalid?: OnInvalid | undefined;
  readonly check: RowCheck;
  /** Counts the rows that have a suppressed recipient, where there are any to be found. */
  readonly tally: SuppressionTally | undefined;
  commit(totals: UploadTotals): Promise<void>;
}

/** Checks the rows of an upload, hands them to its slices, and keeps its sign of life. */
export class Uploader implements Upload {
  readonly batchId: string;
  readonly type: string;
  readonly defaults: JobPayload | null;
  readonly #options: UploaderOptions;
  readonly #slices: SliceQueue;
  readonly #rejections: Rejections | undefined;
  readonly #alive: NodeJS.Timeout;
  /** Rows that were given, whatever became of them. */
  #given = 0;
  #ended = false;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.batchId = options.batchId;
    this.type = options.type;
    this.defaults = options.defaults;
    this.#slices = new SliceQueue(options);
    this.#rejections = options.onInvalid === 'skip' ? new Rejections() : undefined;
    this.#alive = setInterval(() => {
      options.store.touchUpload(options.uploadId).catch(() => undefined);
    }, ALIVE_MS);
    this.#alive.unref();
  }

  async write(rows: readonly (UploadRow | RejectedRow)[]): Promise<void> {
    if (this.#ended) throw new BatchSenderError('upload_lost', 'The upload has ended');
    this.#slices.throwFailure();
    const taken = takeRows(rows, this.#given, this.#options.check, this.#rejections);
    this.#given += rows.length;
    if (taken.texts.length > 0) await this.#slices.add(taken);
    await this.#options.tally?.count();
  }

  async commit(options: Parameters<Upload['commit']>[0] = {}): Promise<UploadAnswer> {
    await this.#slices.settle();
    this.#slices.throwFailure();
    if (this.#given === 0) {
      await this.abort();
      throw new BatchSenderError('empty_upload', 'The upload holds no jobs: send at least one');
    }
    this.#end();
    const { stored, duplicates, bytes } = this.#slices;
    const { rows: rejected, errors } = this.#rejections ?? { rows: 0, errors: [] };
    const suppressed = (await this.#options.tally?.count()) ?? 0;
    const answer = {
      accepted: stored,
      rejected,
      duplicates,
      errors,
      ...(suppressed === 0 ? {} : { suppressed }),
    };
    const { bodyHash, idempotencyKey: key, columns } = options;
    await this.#options.commit({
      rows: stored,
      bytes,
      duplicates,
      rejected,
      ...(bodyHash === undefined ? {} : { bodyHash }),
      ...(columns === undefined ? {} : { columns }),
      ...(bodyHash === undefined || key === undefined
        ? {}
        : { claim: { key, bodyHash, ref: JSON.stringify(answer) } }),
    });
    return answer;
  }

  async abort(): Promise<void> {
    this.#end();
    this.#slices.close();
    await this.#slices.settle();
    await this.#options.store.abortUpload(this.#options.uploadId);
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#alive);
  }
}
