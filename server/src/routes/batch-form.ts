import type { Engine } from '@batchsender/core';
import fastifyMultipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { FORM } from '../http/form-constraint.ts';
import { claimOf, idempotent } from '../http/idempotency.ts';
import { batchView } from '../schemas/batch.ts';
import { readForm, readFormRest } from '../uploads/form.ts';
import { FORM_LIMITS } from '../uploads/form-parts.ts';
import { FORM_TYPE } from '../uploads/format.ts';
import { checkParameters, receiveRows } from '../uploads/receive-rows.ts';
import type { App } from './app-type.ts';
import { UploadQuery, uploadAnswer } from './batch-upload.ts';
import { withDate } from './with-date.ts';

/**
 * `POST /v1/batches` as a form: the batch and a file of its jobs in one call. The batch exists
 * when all of the file is stored, or never.
 */
export function batchFormRoute(app: App, engine: Engine, maxLineBytes: number): void {
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    await scope.register(fastifyMultipart, { limits: FORM_LIMITS, throwFileSizeLimit: false });
    scope.post(
      '/v1/batches',
      {
        ...idempotent(
          engine.idempotency,
          async ({ tenantId }, batchId) => {
            const batch = await engine.getBatch(batchId, { tenantId });
            return { status: 201, body: { ...batchView(batch), upload: uploadAnswer(batch.counts.total) } };
          },
          undefined,
          readFormRest,
        ),
        constraints: { [FORM]: true },
        config: { accepts: ['application/json', FORM_TYPE] },
        // The document shows it with the JSON form of the same call.
        schema: { hide: true, querystring: UploadQuery },
      },
      async (request, reply) => {
        try {
          const { batchId, accepted } = await store(engine, request, maxLineBytes);
          const batch = await engine.getBatch(batchId, { tenantId: request.tenantId });
          reply.code(201).header('location', `/v1/batches/${batchId}`);
          return { ...batchView(batch), upload: uploadAnswer(accepted) };
        } finally {
          // What is left of a form that was refused is read by whoever answers.
          request.raw.unpipe();
        }
      },
    );
  });
}

async function store(
  engine: Engine,
  request: FastifyRequest,
  maxLineBytes: number,
): Promise<{ batchId: string; accepted: number }> {
  const form = await readForm(request);
  checkParameters(form.source);
  const upload = await engine.uploadBatch(withDate(form.batch), { tenantId: request.tenantId });
  try {
    await receiveRows(form.source, upload, { registry: engine.registry, maxLineBytes });
    await form.end();
    const { idempotency: claim } = claimOf(request);
    const used = claim === undefined ? {} : { bodyHash: claim.bodyHash, idempotencyKey: claim.key };
    return { batchId: upload.batchId, ...(await upload.commit(used)) };
  } catch (error) {
    await upload.abort().catch((cause: unknown) => {
      request.log.warn({ err: cause }, 'an upload could not be taken back at once');
    });
    throw error;
  }
}
