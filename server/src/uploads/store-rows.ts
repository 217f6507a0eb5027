import type { ResultColumn, Upload, UploadAnswer } from '@batchsender/core';
import type { FastifyRequest } from 'fastify';
import { claimOf } from '../http/idempotency.ts';

/**
 * Has the rows received, and makes them real together with the request's idempotency key. If
 * anything fails, everything is taken back. @throws whatever the first failure was.
 */
export async function storeRows(
  request: FastifyRequest,
  upload: Upload,
  receive: () => Promise<{ columns?: readonly ResultColumn[] }>,
): Promise<UploadAnswer> {
  try {
    const columns = await receive();
    const { idempotency: claim } = claimOf(request);
    const used = claim === undefined ? {} : { bodyHash: claim.bodyHash, idempotencyKey: claim.key };
    return await upload.commit({ ...used, ...columns });
  } catch (error) {
    await upload.abort().catch((cause: unknown) => {
      // It is swept when its time is over; the first error is the one to answer.
      request.log.warn({ err: cause }, 'an upload could not be taken back at once');
    });
    throw error;
  }
}
