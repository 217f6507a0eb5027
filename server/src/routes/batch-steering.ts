import type { Engine } from '@batchsender/core';
import type { preValidationHookHandler } from 'fastify';
import { audited } from '../http/audit.ts';
import { BatchSchema, batchView, RetryBody } from '../schemas/batch.ts';
import { BatchParams, NoQuery } from '../schemas/common.ts';
import { BODY_PROBLEMS, problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

interface Action {
  readonly name: 'seal' | 'pause' | 'resume' | 'cancel';
  readonly summary: string;
  readonly description: string;
  /** In the audit log; sealing is not in it, it belongs to creating. */
  readonly audit?: string;
}

const ACTIONS: readonly Action[] = [
  {
    name: 'seal',
    summary: 'Seal a batch: no more jobs',
    description: 'Sending begins now, or at `scheduledAt`. An empty batch completes at once.',
  },
  {
    name: 'pause',
    summary: 'Pause a batch',
    audit: 'batch.paused',
    description: 'No new call starts after about 1.5 s. Calls that run are not aborted.',
  },
  {
    name: 'resume',
    summary: 'Resume a paused batch',
    audit: 'batch.resumed',
    description: 'Sending goes on where it stopped.',
  },
  {
    name: 'cancel',
    summary: 'Cancel a batch',
    audit: 'batch.cancelled',
    description:
      'Jobs that wait end as `cancelled`. Calls that run are not aborted, and their results count.',
  },
];

/** `POST /v1/batches/{id}/seal`, `/pause`, `/resume`, `/cancel`, `/retry`. */
export function batchSteeringRoutes(app: App, engine: Engine): void {
  for (const action of ACTIONS) actionRoute(app, engine, action);
  retryRoute(app, engine);
}

function actionRoute(app: App, engine: Engine, action: Action): void {
  app.post(
    `/v1/batches/:batchId/${action.name}`,
    {
      schema: {
        operationId: `${action.name}Batch`,
        tags: ['Steering'],
        summary: action.summary,
        description: action.description,
        params: BatchParams,
        querystring: NoQuery,
        response: {
          200: BatchSchema,
          ...problems('batch_not_found', 'batch_not_open', 'batch_state_conflict'),
        },
      },
    },
    async (request) => {
      const { tenantId, params } = request;
      const batch = await engine[action.name](params.batchId, { tenantId });
      if (action.audit !== undefined)
        await audited(engine, request, { action: action.audit, target: batch.id });
      return batchView(batch);
    },
  );
}

function retryRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/batches/:batchId/retry',
    {
      preValidation: emptyBodyAllowed,
      schema: {
        operationId: 'retryBatch',
        tags: ['Steering'],
        summary: 'Try settled jobs again',
        description: 'Reopens the jobs in these states; the batch runs again. The body may be left out.',
        params: BatchParams,
        querystring: NoQuery,
        body: RetryBody,
        response: {
          200: BatchSchema,
          ...problems('batch_not_found', 'batch_state_conflict', ...BODY_PROBLEMS),
        },
      },
    },
    async (request) => {
      const { tenantId, params, body } = request;
      const states = body.states ?? ['failed'];
      const batch = await engine.retry(params.batchId, states, { tenantId });
      await audited(engine, request, { action: 'batch.retried', target: batch.id, data: { states } });
      return batchView(batch);
    },
  );
}

const emptyBodyAllowed: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {};
  done();
};
