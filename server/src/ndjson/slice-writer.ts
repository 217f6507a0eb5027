import type { Problem, Upload, UploadRow } from '@batchsender/core';
import { HttpProblem, type ProblemPlace } from '../http/problem.ts';
import type { LineError } from './line-error.ts';
import { lineProblem } from './line-problem.ts';

/** Rows that are written together, with the lines that they came from. */
interface Slice {
  /** Index of the first row in the upload. */
  readonly first: number;
  readonly rows: UploadRow[];
  readonly lines: number[];
}

const sliceFrom = (first: number): Slice => ({ first, rows: [], lines: [] });

/** Collects rows into slices and writes them in order. */
export class SliceWriter {
  readonly #upload: Pick<Upload, 'write'>;
  readonly #sliceRows: number;
  #rows = 0;
  #current = sliceFrom(0);
  #full: Slice[] = [];
  #rejected: LineError | undefined;

  constructor(upload: Pick<Upload, 'write'>, sliceRows: number) {
    this.#upload = upload;
    this.#sliceRows = sliceRows;
  }

  /** Takes a row; nothing waits here. */
  add(row: UploadRow, line: number): void {
    if (this.#rejected !== undefined) return;
    this.#current.rows.push(row);
    this.#current.lines.push(line);
    this.#rows += 1;
    if (this.#current.rows.length >= this.#sliceRows) this.#cut();
  }

  /** A line that is no row: the next write fails with its problem, after the rows before it were checked. */
  reject(error: LineError): void {
    this.#rejected ??= error;
  }

  /** Writes the full slices. The upload resolves a write when the next one may come, before it is stored. */
  async writeFull(): Promise<void> {
    if (this.#rejected !== undefined && this.#current.rows.length > 0) this.#cut();
    const full = this.#full;
    this.#full = [];
    for (const slice of full) await this.#write(slice);
    if (this.#rejected !== undefined) throw lineProblem(this.#rejected);
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    if (this.#current.rows.length > 0) this.#cut();
    await this.writeFull();
  }

  #cut(): void {
    this.#full.push(this.#current);
    this.#current = sliceFrom(this.#rows);
  }

  async #write(slice: Slice): Promise<void> {
    try {
      await this.#upload.write(slice.rows);
    } catch (error) {
      throw withLines(error, slice);
    }
  }
}

/** Replaces the indexes of an invalid row's problems by the numbers of the lines. */
function withLines(error: unknown, slice: Slice): unknown {
  const { problems } = error as { problems?: readonly Problem[] };
  if (problems === undefined) return error;
  const errors = problems.map((problem) => placeOf(problem, slice));
  const first = errors[0];
  const detail =
    first?.line === undefined
      ? (error as Error).message
      : `Line ${first.line}, ${first.path || '/'}: ${first.message}`;
  const { code } = error as { code: 'invalid_payload' };
  return new HttpProblem(code, `${detail.replace(/\.$/, '')}. Nothing was stored.`, { errors, cause: error });
}

function placeOf({ index, ...place }: Problem, slice: Slice): ProblemPlace {
  const line = index === undefined ? undefined : slice.lines[index - slice.first];
  return line === undefined ? place : { line, ...place };
}
