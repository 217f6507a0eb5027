import type { Engine, Problem } from '@batchsender/core';
import { audited } from '../http/audit.ts';
import { claimOf, idempotent } from '../http/idempotency.ts';
import { HttpProblem } from '../http/problem.ts';
import { JobParams, NoQuery } from '../schemas/common.ts';
import { JobAccepted, JobBody, JobSchema, jobView, ResolveBody } from '../schemas/job.ts';
import { BODY_PROBLEMS, IDEMPOTENCY_PROBLEMS, problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';
import { withDate } from './with-date.ts';

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
] as const;

/** `POST /v1/jobs`, one job, resolving it. */
export function jobRoutes(app: App, engine: Engine): void {
  createRoute(app, engine);

  app.get(
    '/v1/jobs/:jobId',
    {
      schema: {
        operationId: 'getJob',
        tags: ['Jobs'],
        summary: 'One job with its payload and its timeline',
        params: JobParams,
        querystring: NoQuery,
        response: { 200: JobSchema, ...problems('job_not_found') },
      },
    },
    async ({ tenantId, params }) => jobView(await engine.getJob(params.jobId, { tenantId })),
  );

  app.post(
    '/v1/jobs/:jobId/resolve',
    {
      schema: {
        operationId: 'resolveJob',
        tags: ['Jobs'],
        summary: 'Settle a job whose outcome is unknown',
        description: 'Use it when you have found out at the provider what became of the job.',
        params: JobParams,
        querystring: NoQuery,
        body: ResolveBody,
        response: { 200: JobSchema, ...problems('job_not_found', 'job_not_unknown', ...BODY_PROBLEMS) },
      },
    },
    async (request) => {
      const { tenantId, params, body } = request;
      const { outcome, note } = body;
      const options = { tenantId, ...(note === undefined ? {} : { note }) };
      const job = await engine.resolveJob(params.jobId, outcome, options);
      await audited(engine, request, { action: 'job.resolved', target: job.id, data: { outcome } });
      return jobView(job);
    },
  );
}

function createRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/jobs',
    {
      ...idempotent(engine.idempotency, async (_request, jobId) => ({
        status: 202,
        body: { id: jobId, batchId: jobId.split('.', 1)[0] },
      })),
      schema: {
        operationId: 'createJob',
        tags: ['Jobs'],
        summary: 'Send one job',
        description: 'Answers when the job is stored. Jobs that arrive together share a batch.',
        body: JobBody,
        querystring: NoQuery,
        response: { 202: JobAccepted, ...problems(...CREATE_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const options = { tenantId, ...claimOf(request) };
      const { jobId, ...stored } = await engine.submitJob(withDate(body), options).catch(rethrowWithPaths);
      return reply
        .code(202)
        .header('location', `/v1/jobs/${jobId}`)
        .send({ id: jobId, ...stored });
    },
  );
}

/** A single job has no index: its problems point into the body. */
function rethrowWithPaths(error: unknown): never {
  const { problems: found } = error as { problems?: readonly Problem[] };
  if (found === undefined) throw error;
  const errors = found.map(({ index, path, ...rest }) => ({
    path: index === undefined ? path : `/payload${path}`,
    ...rest,
  }));
  const { code, message } = error as Error & { code: 'invalid_payload' };
  throw new HttpProblem(code, message, { errors, cause: error });
}
