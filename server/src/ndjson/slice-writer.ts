import type { OnInvalid, Problem, RejectedRow, Upload, UploadRow } from '@batchsender/core';
import { HttpProblem } from '../http/problem.ts';
import type { LineError } from './line-error.ts';
import { lineProblem } from './line-problem.ts';

/** Collects rows into slices and writes them in order, with the lines that they came from. */
export class SliceWriter {
  readonly #upload: Pick<Upload, 'write'>;
  readonly #sliceRows: number;
  readonly #onInvalid: OnInvalid;
  #current: (UploadRow | RejectedRow)[] = [];
  #full: (UploadRow | RejectedRow)[][] = [];
  #failure: HttpProblem | undefined;

  /** `onInvalid` must be what the upload was begun with. */
  constructor(upload: Pick<Upload, 'write'>, sliceRows: number, onInvalid: OnInvalid = 'fail') {
    this.#upload = upload;
    this.#sliceRows = sliceRows;
    this.#onInvalid = onInvalid;
  }

  /** Takes a row; nothing waits here. */
  add(row: UploadRow, line: number): void {
    this.#take({ ...row, line });
  }

  /**
   * Takes a line that is no row. Skipped, it is counted and reported in its place; else the upload
   * fails with it at the next write.
   */
  reject(error: LineError): void {
    const { line, path, code, message } = error;
    if (this.#onInvalid === 'skip') this.#take({ problem: { path, code, message }, line });
    else this.#failure ??= lineProblem(error);
  }

  /**
   * Writes the full slices. The upload resolves a write when the next one may come, before it is stored.
   * @throws HttpProblem naming the first line that is wrong.
   */
  async writeFull(): Promise<void> {
    // The rows before a bad line are checked first: an earlier line may be wrong too.
    if (this.#failure !== undefined) this.#cut();
    const full = this.#full;
    this.#full = [];
    for (const slice of full) await this.#write(slice);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    this.#cut();
    await this.writeFull();
  }

  #take(row: UploadRow | RejectedRow): void {
    // What comes behind a line that fails the upload does not matter.
    if (this.#failure !== undefined) return;
    this.#current.push(row);
    if (this.#current.length >= this.#sliceRows) this.#cut();
  }

  #cut(): void {
    if (this.#current.length > 0) this.#full.push(this.#current);
    this.#current = [];
  }

  async #write(slice: (UploadRow | RejectedRow)[]): Promise<void> {
    try {
      await this.#upload.write(slice);
    } catch (error) {
      throw withPlace(error);
    }
  }
}

/** Tells an invalid row by its line and its field. */
function withPlace(error: unknown): unknown {
  const { problems, code } = error as { problems?: readonly Problem[]; code: 'invalid_payload' };
  const first = problems?.[0];
  if (problems === undefined || first?.line === undefined) return error;
  const detail = `Line ${first.line}, ${first.path || '/'}: ${first.message}`;
  const options = { errors: problems, cause: error };
  return new HttpProblem(code, `${detail.replace(/\.$/, '')}. Nothing was stored.`, options);
}
