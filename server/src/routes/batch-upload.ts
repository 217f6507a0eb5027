import type { Engine, UploadAnswer } from '@batchsender/core';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { decodedChunks } from '../http/content-encoding.ts';
import { idempotent, noteBody } from '../http/idempotency.ts';
import { BatchParams, oneOfStrings, strict } from '../schemas/common.ts';
import { UploadAnswerSchema } from '../schemas/job.ts';
import { IDEMPOTENCY_PROBLEMS, problems } from '../schemas/problem.ts';
import { CSV_TYPE, charsetOf, formatOf, NDJSON_TYPES, UPLOAD_TYPES } from '../uploads/format.ts';
import { checkParameters, type RowSource, receiveRows } from '../uploads/receive-rows.ts';
import { storeRows } from '../uploads/store-rows.ts';
import type { App } from './app-type.ts';

/** Query of an upload; `map.<column>` beside the named ones. */
export const UploadQuery = strict(
  {
    onInvalid: Type.Optional(
      oneOfStrings(['fail', 'skip'], {
        description:
          '`fail`, the default: one invalid line takes back everything. `skip`: invalid lines are left out, ' +
          'counted as `rejected`, and named in `errors`; the others are taken.',
      }),
    ),
    delimiter: Type.Optional(
      Type.String({
        description:
          'Of a CSV: one character, or `comma`, `semicolon`, `tab`, `pipe`. Default: found in the header.',
      }),
    ),
    encoding: Type.Optional(
      Type.String({
        description:
          'Of a CSV, for example `windows-1252`. Default: by the byte order mark or `charset`, else UTF-8.',
      }),
    ),
  },
  { patternProperties: { '^map\\.': { type: 'string' } } },
);

const UPLOAD_PROBLEMS = [
  'batch_not_found',
  'batch_not_open',
  'upload_in_progress',
  'upload_lost',
  'upload_cut',
  'upload_stalled',
  'unsupported_media_type',
  'invalid_line',
  'invalid_header',
  'line_too_long',
  'invalid_compression',
  'expands_too_much',
  'invalid_payload',
  'invalid_template',
  'empty_upload',
  ...IDEMPOTENCY_PROBLEMS,
] as const;

/** `POST /v1/batches/{id}/jobs`: a streaming upload of NDJSON or CSV, also compressed. */
export function batchUploadRoutes(app: App, engine: Engine, maxLineBytes: number): void {
  // A scope of its own: here a JSON body is refused and an upload is handed on unread.
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
      config: { accepts: [NDJSON_TYPES[0], CSV_TYPE], takesGzip: true },
      schema: {
        operationId: 'uploadJobs',
        tags: ['Batches'],
        summary: 'Upload jobs into an open batch',
        description:
          'NDJSON: one payload a line, each a JSON object. CSV: a header row that names fields of the ' +
          'payload, nested ones with dots; other columns become variables. ' +
          'Either may be compressed (`content-encoding: gzip`). All of the lines are taken or none, unless ' +
          'invalid ones are to be skipped. Where the batch has `dedupeBy`, duplicates are left out. ' +
          'The answer comes when all are stored. Seal the batch when the last upload is in.',
        params: BatchParams,
        querystring: UploadQuery,
        response: { 200: UploadAnswerSchema, ...problems(...UPLOAD_PROBLEMS) },
      },
    },
    async (request) => {
      const { errors, ...counts } = await receive(engine, request, request.params.batchId, maxLineBytes);
      return { ...counts, errors: [...errors] };
    },
  );
}

async function receive(
  engine: Engine,
  request: FastifyRequest,
  batchId: string,
  maxLineBytes: number,
): Promise<UploadAnswer> {
  const source = rowSource(request);
  const onInvalid = checkParameters(source);
  const upload = await engine.upload(batchId, { tenantId: request.tenantId, onInvalid });
  const limits = { registry: engine.registry, maxLineBytes, onInvalid };
  return storeRows(request, upload, async () =>
    request.body === undefined ? {} : receiveRows(source, upload, limits),
  );
}

function rowSource(request: FastifyRequest): RowSource {
  const contentType = request.headers['content-type'];
  const format = formatOf(contentType) ?? 'ndjson';
  const charset = format === 'csv' ? charsetOf(contentType) : undefined;
  const query = request.query as Record<string, unknown>;
  const parameters = charset === undefined ? query : { encoding: charset, ...query };
  return { format, parameters, chunks: hashed(request) };
}

async function* hashed(request: FastifyRequest): AsyncGenerator<Buffer> {
  for await (const chunk of decodedChunks(request.raw)) {
    noteBody(request, chunk);
    yield chunk;
  }
}

/** The answer that was stored with an upload; releases before `onInvalid=skip` stored the number of rows. */
function keptAnswer(ref: string): UploadAnswer {
  const kept = JSON.parse(ref) as UploadAnswer | number;
  return typeof kept === 'number' ? { accepted: kept, rejected: 0, duplicates: 0, errors: [] } : kept;
}
