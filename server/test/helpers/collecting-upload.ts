import { InvalidInputError, type OnInvalid, type RejectedRow, type UploadRow } from '@batchsender/core';

/** An upload that keeps its rows in memory, and refuses or skips payloads with `bad: true`. */
export class CollectingUpload {
  readonly rows: UploadRow[] = [];
  /** Lines that were skipped, with the codes of their problems. */
  readonly skipped: [line: number | undefined, code: string][] = [];
  readonly sizes: number[] = [];
  /** True while a write is under way. */
  isBusy = false;
  readonly #onInvalid: OnInvalid;

  constructor(onInvalid: OnInvalid = 'fail') {
    this.#onInvalid = onInvalid;
  }

  async write(rows: readonly (UploadRow | RejectedRow)[]): Promise<void> {
    if (this.isBusy) throw new Error('the next write came too early');
    this.sizes.push(rows.length);
    this.isBusy = true;
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.isBusy = false;
    for (const row of rows) {
      const problem = problemOf(row);
      if (problem === undefined) this.rows.push(row as UploadRow);
      else if (this.#onInvalid === 'skip') this.skipped.push([row.line, problem.code]);
      else throw refusal({ ...(row.line === undefined ? {} : { line: row.line }), ...problem });
    }
  }
}

function problemOf(row: UploadRow | RejectedRow): RejectedRow['problem'] | undefined {
  if ('problem' in row) return row.problem;
  return row.payload['bad'] === true
    ? { path: '/bad', code: 'invalid_value', message: 'It is bad.' }
    : undefined;
}

const refusal = (problem: InvalidInputError['problems'][number]): InvalidInputError =>
  new InvalidInputError('invalid_payload', 'A payload is bad.', [problem]);
