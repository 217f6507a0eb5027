import type { Engine, UploadAnswer } from '@batchsender/core';
import fastifyMultipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { FORM } from '../http/form-constraint.ts';
import { idempotent } from '../http/idempotency.ts';
import { batchView } from '../schemas/batch.ts';
import { readForm, readFormRest } from '../uploads/form.ts';
import { FORM_LIMITS } from '../uploads/form-parts.ts';
import { FORM_TYPE } from '../uploads/format.ts';
import { checkParameters, receiveRows } from '../uploads/receive-rows.ts';
import { storeRows } from '../uploads/store-rows.ts';
import type { App } from './app-type.ts';
import { UploadQuery } from './batch-upload.ts';
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
            // The errors of the skipped lines are lost with the process that met them.
            const { counts, duplicates, rejected } = batch;
            const upload = { accepted: counts.total, rejected, duplicates, errors: [] };
            return { status: 201, body: { ...batchView(batch), upload } };
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
          const { batchId, ...upload } = await store(engine, request, maxLineBytes);
          const batch = await engine.getBatch(batchId, { tenantId: request.tenantId });
          reply.code(201).header('location', `/v1/batches/${batchId}`);
          return { ...batchView(batch), upload };
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
): Promise<UploadAnswer & { batchId: string }> {
  const form = await readForm(request);
  const onInvalid = checkParameters(form.source);
  const upload = await engine.uploadBatch(withDate(form.batch), { tenantId: request.tenantId, onInvalid });
  const limits = { registry: engine.registry, maxLineBytes, onInvalid };
  const answer = await storeRows(request, upload, async () => {
    const columns = await receiveRows(form.source, upload, limits);
    await form.end();
    return columns;
  });
  return { batchId: upload.batchId, ...answer };
}
