import type { TransactionClient } from '../../engine/api.ts';
import { isStoredConnection } from '../../engine/connections/ids.ts';
import { BatchSenderError } from '../../engine/errors.ts';

/**
 * Keeps a stored connection from being removed until the transaction ends. False if it is gone already. Blocks,
 * throttles and new credentials do not wait for it.
 */
export async function holdConnection(
  client: TransactionClient,
  s: string,
  connectionId: string,
): Promise<boolean> {
  if (!isStoredConnection(connectionId)) return true;
  const { rowCount } = await client.query(`SELECT 1 FROM ${s}.connections WHERE id = $1 FOR KEY SHARE`, [
    connectionId,
  ]);
  return rowCount === 1;
}

/** @throws BatchSenderError `unknown_connection` */
export async function mustHoldConnection(
  client: TransactionClient,
  s: string,
  connectionId: string,
): Promise<void> {
  if (await holdConnection(client, s, connectionId)) return;
  throw new BatchSenderError(
    'unknown_connection',
    `Connection ${connectionId} was removed while the batch was being stored; nothing was stored`,
  );
}

export const noConnection = (connectionId: string): BatchSenderError =>
  new BatchSenderError('connection_not_found', `There is no connection ${connectionId.slice(0, 100)}`);
