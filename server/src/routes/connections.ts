import type { Engine } from '@batchsender/core';
import { audited } from '../http/audit.ts';
import { NoQuery } from '../schemas/common.ts';
import { ConnectionList, ConnectionParams, ConnectionSchema, connectionView } from '../schemas/connection.ts';
import { problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /v1/connections` and `POST /v1/connections/{id}/unblock`. */
export function connectionRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/connections',
    {
      schema: {
        operationId: 'listConnections',
        tags: ['Connections'],
        summary: 'List the connections',
        description:
          'Each provider that has been used has a default connection. Credentials are never shown.',
        querystring: NoQuery,
        response: { 200: ConnectionList, ...problems() },
      },
    },
    async ({ tenantId }) => {
      const connections = await engine.listConnections({ tenantId });
      return { items: connections.map(connectionView), nextCursor: null };
    },
  );

  app.post(
    '/v1/connections/:connectionId/unblock',
    {
      schema: {
        operationId: 'unblockConnection',
        tags: ['Connections'],
        summary: 'Take the block off a connection',
        description:
          'A connection is blocked when its credentials or its quota do not work. What waited goes on.',
        params: ConnectionParams,
        querystring: NoQuery,
        response: { 200: ConnectionSchema, ...problems('connection_not_found') },
      },
    },
    async (request) => {
      const { tenantId, params } = request;
      const connection = await engine.unblockConnection(params.connectionId, { tenantId });
      await audited(engine, request, { action: 'connection.unblocked', target: connection.id });
      return connectionView(connection);
    },
  );
}
