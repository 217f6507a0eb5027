import type { Engine } from '@batchsender/core';
import { NoQuery } from '../schemas/common.ts';
import { EndpointList, endpointView } from '../schemas/endpoint.ts';
import { problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /v1/endpoints`. */
export function endpointRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/endpoints',
    {
      schema: {
        operationId: 'listEndpoints',
        tags: ['Connections'],
        summary: 'List the endpoints that fail',
        description:
          'At most 1,000, those that have failed for longest first. Jobs for them wait; after five days an endpoint ' +
          'gets one call an hour. `POST /v1/connections/{id}/unblock` gives those of a connection another chance at once.',
        querystring: NoQuery,
        response: { 200: EndpointList, ...problems() },
      },
    },
    async ({ tenantId }) => {
      const endpoints = await engine.listEndpoints({ tenantId });
      return { items: endpoints.map(endpointView), nextCursor: null };
    },
  );
}
