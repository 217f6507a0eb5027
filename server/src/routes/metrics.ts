import { Type } from 'typebox';
import type { MetricsSource } from '../metrics/metrics.ts';
import { METRICS_TYPE } from '../metrics/snapshot.ts';
import { problemsOnly } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /metrics`, for Prometheus: with the API key, unless the settings make it public. */
export function metricsRoute(app: App, source: MetricsSource, isPublic: boolean): void {
  app.get(
    '/metrics',
    {
      config: { isPublic, isQuiet: true },
      schema: {
        operationId: 'getMetrics',
        tags: ['Health'],
        summary: 'The metrics of this server, for Prometheus',
        description:
          'The text format of Prometheus, version 0.0.4. The labels name types and providers only.',
        ...(isPublic ? { security: [] } : {}),
        response: {
          200: {
            description: 'All metrics.',
            content: { 'text/plain': { schema: Type.Unsafe<string>({ type: 'string' }) } },
          },
          ...(isPublic ? problemsOnly('internal_error') : problemsOnly('unauthorized', 'internal_error')),
        },
      },
    },
    async (_request, reply) => reply.type(METRICS_TYPE).send(await source.text()),
  );
}
