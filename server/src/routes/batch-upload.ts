import type { Engine, OnInvalid, UploadAnswer } from '@batchsender/core';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { bodyChunks } from '../http/body-chunks.ts';
import { claimOf, idempotent, noteBody } from '../http/idempotency.ts';
import { receiveNdjson } from '../ndjson/receive.ts';
import { BatchParams, oneOfStrings, strict } from '../schemas/common.ts';
import { UploadAnswerSchema } from '../schemas/job.ts';
import { IDEMPOTENCY_PROBLEMS, problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** Content types that an upload may have; they mean the same. */
export const UPLOAD_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'] as const;

const UploadQuery = strict({
  onInvalid: Type.Optional(
    oneOfStrings(['fail', 'skip'], {
      description:
        '`fail`, the default: one invalid line takes back everything. `skip`: invalid lines are left out, ' +
        'counted as `rejected`, and named in `errors`; the others are taken.',
    }),
  ),
});

const UPLOAD_PROBLEMS = [
  'batch_not_found',
  'batch_not_open',
  'upload_in_progress',
  'upload_lost',
  'upload_cut',
  'upload_stalled',
  'unsupported_media_type',
  'invalid_line',
  'line_too_long',
  'invalid_payload',
  'invalid_template',
  'empty_upload',
  ...IDEMPOTENCY_PROBLEMS,
] as const;

/** `POST /v1/batches/{id}/jobs`: a streaming upload of NDJSON. */
export function batchUploadRoutes(app: App, engine: Engine, maxLineBytes: number): void {
  // A scope of its own: here a JSON body is refused and NDJSON is handed on unread.
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser([...UPLOAD_TYPES], (_request, payload, done) => done(null, payload));
    uploadRoute(scope, engine, maxLineBytes);
  });
}

function uploadRoute(app: App, engine: Engine, maxLineBytes: number): void {
  app.post(
    '/v1/batches/:batchId/jobs',
    {
      ...idempotent(engine.idempotency, async (_request, ref) => ({
        status: 200,
        body: keptAnswer(ref),
      })),
      config: { accepts: [UPLOAD_TYPES[0]] },
      schema: {
        operationId: 'uploadJobs',
        tags: ['Batches'],
        summary: 'Upload jobs into an open batch',
        description:
          'NDJSON: one payload a line, each a JSON object. All of the lines are taken or none, unless ' +
          'invalid ones are to be skipped. Where the batch has `dedupeBy`, duplicates are left out. ' +
          'The answer comes when all are stored. Seal the batch when the last upload is in.',
        params: BatchParams,
        querystring: UploadQuery,
        response: { 200: UploadAnswerSchema, ...problems(...UPLOAD_PROBLEMS) },
      },
    },
    async (request) => {
      const options = { ...request.params, ...request.query, maxLineBytes };
      const { errors, ...counts } = await receive(engine, request, options);
      return { ...counts, errors: [...errors] };
    },
  );
}

interface UploadOptions {
  readonly batchId: string;
  readonly onInvalid?: OnInvalid;
  readonly maxLineBytes: number;
}

async function receive(
  engine: Engine,
  request: FastifyRequest,
  { batchId, onInvalid = 'fail', maxLineBytes }: UploadOptions,
): Promise<UploadAnswer> {
  const upload = await engine.upload(batchId, { tenantId: request.tenantId, onInvalid });
  try {
    if (request.body !== undefined) await receiveNdjson(hashed(request), upload, { maxLineBytes, onInvalid });
    const { idempotency: claim } = claimOf(request);
    return await upload.commit(
      claim === undefined ? {} : { bodyHash: claim.bodyHash, idempotencyKey: claim.key },
    );
  } catch (error) {
    await upload.abort().catch((cause: unknown) => {
      // It is swept when its time is over; the first error is the one to answer.
      request.log.warn({ err: cause }, 'an upload could not be taken back at once');
    });
    throw error;
  }
}

async function* hashed(request: FastifyRequest): AsyncGenerator<Buffer> {
  for await (const chunk of bodyChunks(request.raw)) {
    noteBody(request, chunk);
    yield chunk;
  }
}

/** The answer that was stored with an upload; releases before `onInvalid=skip` stored the number of rows. */
function keptAnswer(ref: string): UploadAnswer {
  const kept = JSON.parse(ref) as UploadAnswer | number;
  return typeof kept === 'number' ? { accepted: kept, rejected: 0, duplicates: 0, errors: [] } : kept;
}
