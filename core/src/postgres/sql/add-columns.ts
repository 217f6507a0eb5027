import type { ClientBase } from 'pg';
import { mergeColumns } from '../../engine/decisions/result-columns.ts';
import type { ResultColumn } from '../../engine/results.ts';

/** Adds the columns of an upload to its batch, in a transaction that holds the batch's row. */
export function addColumnsStatement(s: string) {
  return async (client: ClientBase, batchId: string, added: readonly ResultColumn[]): Promise<void> => {
    const { rows } = await client.query<{ columns: ResultColumn[] | null }>(
      `SELECT columns FROM ${s}.batches WHERE id = $1`,
      [batchId],
    );
    const merged = mergeColumns(rows[0]?.columns ?? [], added);
    if (merged.length === 0) return;
    await client.query(`UPDATE ${s}.batches SET columns = $2 WHERE id = $1`, [
      batchId,
      JSON.stringify(merged),
    ]);
  };
}
