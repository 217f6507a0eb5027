import type { Engine } from '@batchsender/core';
import type { Logger } from 'pino';
import type { Connections } from '../settings/connections.ts';

/** A plugin that threw again and again: under `at-most-once` each further throw would cost a job its outcome. */
const STAYS = 'provider_error';

/**
 * Takes the blocks off connections whose credentials come from the environment. They can only be mended by a new
 * start, so a start says that they were. What is still wrong blocks again by the first call, and no job loses
 * anything by that (E18).
 */
export async function liftBlocks(
  engine: { readonly connections: Pick<Engine['connections'], 'list' | 'unblock'> },
  connections: Pick<Connections, 'credentials'>,
  logger: Logger,
): Promise<void> {
  for (const { id, name, type, provider, state, code } of await engine.connections.list()) {
    if (name !== null || state !== 'blocked' || code === STAYS) continue;
    if (connections.credentials(type, provider) === undefined) continue;
    await engine.connections.unblock(id);
    logger.info(
      { connectionId: id, code },
      `Connection ${id} was blocked (${code}). This start tries it again`,
    );
  }
}
