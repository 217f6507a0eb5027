import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Notice } from '../engine/store.ts';
import { readNotice } from './notice.ts';

const RECONNECT_MS = 1_000;
/** Bytes of an identifier, and so of a channel's name. */
const MAX_NAME = 63;

/** The channel on which the processes on one schema wake each other. */
export function channelOf(schema: string): string {
  const channel = `batchsender_${schema}`;
  if (Buffer.byteLength(channel) <= MAX_NAME) return channel;
  return `batchsender_${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
}

/** The statement that wakes all processes; `payload` is an SQL expression, by default "something is due". */
export function notifyText(channel: string, payload = "''"): string {
  return `SELECT pg_notify('${channel.replaceAll("'", "''")}', ${payload})`;
}

/**
 * LISTEN on a connection of its own, made again for ever when it breaks. A lost notification
 * costs the dispatcher's poll interval, never a job.
 */
export async function listen(
  connectionString: string,
  channel: string,
  onNotice: (notice: Notice) => void,
  onError: (error: Error) => void,
): Promise<() => Promise<void>> {
  let client: pg.Client | undefined;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  const again = (error?: Error) => {
    if (ended || timer !== undefined) return;
    if (error !== undefined) onError(error);
    timer = setTimeout(() => {
      timer = undefined;
      connect().catch(again);
    }, RECONNECT_MS);
  };
  const connect = async () => {
    const next = new pg.Client({ connectionString, application_name: 'batchsender listen', keepAlive: true });
    next.on('error', again);
    next.on('end', () => again());
    next.on('notification', ({ payload }) => onNotice(readNotice(payload)));
    await next.connect();
    await next.query(`LISTEN ${channel}`);
    client = next;
    onNotice({ kind: 'due' });
  };
  await connect();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await client?.end().catch(() => undefined);
  };
}
