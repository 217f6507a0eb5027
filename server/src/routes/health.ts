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
});

/** Tells whether a runner that is not the engine's own works; `none`: the runners are in other servers. */
export type RunnerState = (() => boolean) | 'none';

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
        summary: 'Do the database and the runner answer?',
        security: [],
        response: {
          200: Readiness,
          ...problemsOnly('database_unavailable', 'runner_not_ready', 'engine_stopped'),
        },
      },
    },
    async () => {
      const { runner: own } = await engine.ready().catch((error: unknown) => {
        throw (error as { code?: unknown }).code === 'engine_stopped' ? error : databaseDown(error);
      });
      if (elsewhere === 'none') return { status: 'ok' as const, database: true as const, runner: false };
      if (!(elsewhere?.() ?? own)) throw notReady();
      return { status: 'ok' as const, database: true as const, runner: true };
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
