import type { Engine } from '@batchsender/core';
import { Type } from 'typebox';
import { unpackJson } from '../http/content-encoding.ts';
import { claimOf, idempotent } from '../http/idempotency.ts';
import { BatchBody, BatchSchema, BatchStateSchema, batchView } from '../schemas/batch.ts';
import { BatchParams, COMPONENT, NoQuery, pageOf, pageQuery, strict } from '../schemas/common.ts';
import {
  JobStateSchema,
  JobSummarySchema,
  jobSummaryView,
  Suppressed,
  UploadAnswerSchema,
} from '../schemas/job.ts';
import { BODY_PROBLEMS, IDEMPOTENCY_PROBLEMS, problems } from '../schemas/problem.ts';
import { FORM_TYPE } from '../uploads/format.ts';
import type { App } from './app-type.ts';
import { withDate } from './with-date.ts';

const BatchPage = pageOf(BatchSchema, 'BatchPage');
const JobPage = pageOf(JobSummarySchema, 'JobPage');

/** A new batch; `upload` if a file came with it. */
const CreatedBatch = strict(
  {
    ...BatchSchema.properties,
    suppressed: Type.Optional(Suppressed),
    upload: Type.Optional(UploadAnswerSchema),
  },
  { [COMPONENT]: 'CreatedBatch' },
);

const ListQuery = strict({
  type: Type.Optional(Type.String({ description: 'Only batches of this type.' })),
  state: Type.Optional(BatchStateSchema),
  includeSingle: Type.Optional(
    Type.Boolean({ description: 'Also batches that hold jobs of POST /v1/jobs. Default false.' }),
  ),
  ...pageQuery,
});

const JobsQuery = strict({ state: Type.Optional(JobStateSchema), ...pageQuery });

const CREATE_PROBLEMS = [
  ...BODY_PROBLEMS,
  ...IDEMPOTENCY_PROBLEMS,
  'unknown_type',
  'unknown_provider',
  'unknown_connection',
  'connection_mismatch',
  'no_sandbox',
  'invalid_batch',
  'invalid_payload',
  'invalid_template',
  'invalid_compression',
  'expands_too_much',
  'invalid_multipart',
  'invalid_header',
  'invalid_line',
  'line_too_long',
  'empty_upload',
  'upload_cut',
  'upload_stalled',
] as const;

/** `POST` and `GET /v1/batches`, one batch, its jobs. */
export function batchRoutes(app: App, engine: Engine): void {
  createRoute(app, engine);

  app.get(
    '/v1/batches',
    {
      schema: {
        operationId: 'listBatches',
        tags: ['Batches'],
        summary: 'List batches, the newest first',
        querystring: ListQuery,
        response: { 200: BatchPage, ...problems('invalid_cursor') },
      },
    },
    async ({ tenantId, query }) => {
      const page = await engine.listBatches({ tenantId, ...query });
      return { items: page.items.map(batchView), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/batches/:batchId',
    {
      schema: {
        operationId: 'getBatch',
        tags: ['Batches'],
        summary: 'One batch with its counts',
        params: BatchParams,
        querystring: NoQuery,
        response: { 200: BatchSchema, ...problems('batch_not_found') },
      },
    },
    async ({ tenantId, params }) => batchView(await engine.getBatch(params.batchId, { tenantId })),
  );

  app.get(
    '/v1/batches/:batchId/jobs',
    {
      schema: {
        operationId: 'listBatchJobs',
        tags: ['Batches'],
        summary: "List a batch's jobs with their states",
        params: BatchParams,
        querystring: JobsQuery,
        response: { 200: JobPage, ...problems('batch_not_found', 'invalid_cursor') },
      },
    },
    async ({ tenantId, params, query }) => {
      const page = await engine.listJobs(params.batchId, { tenantId, ...query });
      return { items: page.items.map(jobSummaryView), nextCursor: page.nextCursor };
    },
  );
}

function createRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/batches',
    {
      ...idempotent(engine.idempotency, async ({ tenantId }, batchId) => ({
        status: 201,
        body: batchView(await engine.getBatch(batchId, { tenantId })),
      })),
      preParsing: unpackJson,
      config: { accepts: ['application/json', FORM_TYPE], takesGzip: true },
      schema: {
        operationId: 'createBatch',
        tags: ['Batches'],
        summary: 'Create a batch',
        description:
          'With `jobs` the batch is complete and starts, unless `sealed` is false. Without, it is open: ' +
          'upload jobs, then seal it. All of the jobs are taken or none. As a form, the batch comes in the ' +
          'field `batch` and its jobs in the file `file` behind it, CSV or NDJSON; then it is sealed ' +
          'unless `sealed` is false, and `upload` says what was taken.',
        body: BatchBody,
        querystring: NoQuery,
        response: { 201: CreatedBatch, ...problems(...CREATE_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const batch = await engine.submit(withDate(body), { tenantId, ...claimOf(request) });
      const { suppressed } = batch;
      const answer = { ...batchView(batch), ...(suppressed === undefined ? {} : { suppressed }) };
      return reply.code(201).header('location', `/v1/batches/${batch.id}`).send(answer);
    },
  );
}
