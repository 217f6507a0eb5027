import { InvalidInputError, type UploadRow } from '@batchsender/core';

/** An upload that keeps its rows in memory, and refuses payloads with `bad: true`. */
export class CollectingUpload {
  readonly rows: UploadRow[] = [];
  readonly sizes: number[] = [];
  /** True while a write is under way. */
  isBusy = false;

  async write(rows: readonly UploadRow[]): Promise<void> {
    if (this.isBusy) throw new Error('the next write came too early');
    const first = this.rows.length;
    this.sizes.push(rows.length);
    this.isBusy = true;
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.isBusy = false;
    const bad = rows.findIndex(({ payload }) => payload['bad'] === true);
    if (bad !== -1) {
      const problem = { index: first + bad, path: '/bad', code: 'invalid_value', message: 'It is bad.' };
      throw new InvalidInputError('invalid_payload', 'A payload is bad.', [problem]);
    }
    this.rows.push(...rows);
  }
}
