import type { Engine } from '@batchsender/core';
import { Type } from 'typebox';
import { HttpProblem } from '../http/problem.ts';
import { databaseDown } from '../http/to-problem.ts';
import { strict } from '../schemas/common.ts';
import { problemsOnly } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

const Health = strict({ status: Type.Literal('ok') });
const Readiness = strict({
  status: Type.Literal('ok'),
  database: Type.Literal(true),
  runner: Type.Boolean({
    description: 'False where the runners are in other processes than the API.',
  }),
  transport: Type.Literal(true),
});

/** Tells whether a runner that is not the engine's own works, and its transport; `none`: the runners are in other servers. */
export type RunnerState = (() => { readonly ready: boolean; readonly transportReady: boolean }) | 'none';

const config = { isPublic: true, isQuiet: true };

/** `GET /healthz` and `GET /readyz`, for load balancers: no API key. */
export function healthRoutes(app: App, engine: Engine, elsewhere?: RunnerState): void {
  app.get(
    '/healthz',
    {
      config,
      schema: {
        operationId: 'getHealth',
        tags: ['Health'],
        summary: 'Is the process alive?',
        security: [],
        response: { 200: Health, ...problemsOnly('internal_error') },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config,
      schema: {
        operationId: 'getReadiness',
        tags: ['Health'],
        summary: 'Do the database, the runner and NATS, if it is used, answer?',
        security: [],
        response: {
          200: Readiness,
          ...problemsOnly('database_unavailable', 'runner_not_ready', 'nats_unavailable', 'engine_stopped'),
        },
      },
    },
    async () => {
      const { runner: own } = await engine.ready().catch((error: unknown) => {
        throw (error as { code?: unknown }).code === 'engine_stopped' ? error : databaseDown(error);
      });
      const status = 'ok' as const;
      if (elsewhere === 'none')
        return { status, database: true as const, runner: false, transport: true as const };
      const { ready, transportReady } = elsewhere?.() ?? { ready: own, transportReady: true };
      if (!ready) throw notReady();
      if (!transportReady) throw natsAway();
      return { status, database: true as const, runner: true, transport: true as const };
    },
  );
}

const notReady = (): HttpProblem =>
  new HttpProblem(
    'runner_not_ready',
    'The runner is starting, or its heartbeat does not reach the database.',
    {
      headers: { 'retry-after': '1' },
    },
  );

const natsAway = (): HttpProblem =>
  new HttpProblem(
    'nats_unavailable',
    'NATS does not answer. Nothing is lost: jobs are taken, and each process delivers by itself until it is back.',
    { headers: { 'retry-after': '1' } },
  );
