import type { AuditInput, Engine } from '@batchsender/core';
import type { FastifyRequest } from 'fastify';

/** Who calls the API, as the audit log tells it. */
const ACTOR = 'api-key';

/**
 * Writes to the audit log what a request has just done. It is done: that the log cannot be written is no
 * reason to answer with an error, which would be taken for "nothing happened".
 */
export async function audited(
  engine: Engine,
  request: FastifyRequest,
  entry: Omit<AuditInput, 'actor'>,
): Promise<void> {
  const { tenantId, log } = request;
  await engine.audit.record({ ...entry, actor: ACTOR }, { tenantId }).catch((error: unknown) => {
    log.error(
      { err: error, action: entry.action, target: entry.target },
      'the audit log could not be written',
    );
  });
}
