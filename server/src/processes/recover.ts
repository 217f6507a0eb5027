import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, RecoveredChunk } from '@batchsender/core';
import type { Logger } from 'pino';
import type { Child } from './child.ts';

export interface RecoverOptions {
  readonly engine: Pick<Engine, 'recoverRunner'>;
  readonly logger: Logger;
}

const TRIES = 5;
const RETRY_MS = 500;

/**
 * Gives the chunks of a dead child back at once. Where the database does not answer, they come back by
 * the end of their lease.
 */
export async function recoverFrom(
  { engine, logger }: RecoverOptions,
  { runnerId }: Pick<Child, 'runnerId'>,
  options: { readonly alone: boolean },
): Promise<readonly RecoveredChunk[]> {
  if (runnerId === undefined) return [];
  for (let tries = 1; ; tries++) {
    try {
      return await engine.recoverRunner(runnerId, options);
    } catch (error) {
      if (tries === TRIES) {
        logger.error(
          { err: error },
          'the chunks of a dead runner process stay leased until their lease ends',
        );
        return [];
      }
      await sleep(RETRY_MS);
    }
  }
}
