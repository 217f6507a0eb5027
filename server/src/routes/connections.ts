import type { Engine } from '@batchsender/core';
import { audited } from '../http/audit.ts';
import { claimOf, idempotent } from '../http/idempotency.ts';
import { NoQuery } from '../schemas/common.ts';
import {
  ConnectionBody,
  ConnectionList,
  ConnectionParams,
  ConnectionPatchBody,
  ConnectionSchema,
  ConnectionTestSchema,
  connectionTestView,
  connectionView,
  jsonFields,
} from '../schemas/connection.ts';
import { BODY_PROBLEMS, IDEMPOTENCY_PROBLEMS, problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

const OPEN_PROBLEMS = ['connection_not_found', 'secret_key_missing', 'secret_key_wrong'] as const;

const tags = ['Connections'];

/** `/v1/connections`: named credentials, kept encrypted. */
export function connectionRoutes(app: App, engine: Engine): void {
  createRoute(app, engine);
  readRoutes(app, engine);
  changeRoutes(app, engine);
  workRoutes(app, engine);
}

function createRoute(app: App, engine: Engine): void {
  const { connections, idempotency } = engine;
  app.post(
    '/v1/connections',
    {
      ...idempotent(idempotency, async ({ tenantId }, connectionId) => ({
        status: 201,
        body: connectionView(await connections.get(connectionId, { tenantId })),
      })),
      schema: {
        operationId: 'createConnection',
        tags,
        summary: 'Create a connection',
        description:
          'Stores credentials for a provider under a name that batches use. They are encrypted, and secrets are ' +
          'never shown again. One that needs a grant by OAuth is blocked until a person has granted access.',
        querystring: NoQuery,
        body: ConnectionBody,
        response: {
          201: ConnectionSchema,
          ...problems(
            ...BODY_PROBLEMS,
            ...IDEMPOTENCY_PROBLEMS,
            'unknown_type',
            'unknown_provider',
            'invalid_connection',
            'connection_exists',
            'secret_key_missing',
          ),
        },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const input = { ...body, credentials: jsonFields(body.credentials) };
      const connection = await connections.create(input, { tenantId, ...claimOf(request) });
      await audited(engine, request, { action: 'connection.created', target: connection.id });
      return reply
        .code(201)
        .header('location', `/v1/connections/${connection.id}`)
        .send(connectionView(connection));
    },
  );
}

function readRoutes(app: App, { connections }: Engine): void {
  app.get(
    '/v1/connections',
    {
      schema: {
        operationId: 'listConnections',
        tags,
        summary: 'List the connections',
        description:
          'Those with names, and a default one for each provider that was used without. Secrets are never shown.',
        querystring: NoQuery,
        response: { 200: ConnectionList, ...problems() },
      },
    },
    async ({ tenantId }) => {
      const all = await connections.list({ tenantId });
      return { items: all.map(connectionView), nextCursor: null };
    },
  );

  app.get(
    '/v1/connections/:connectionId',
    {
      schema: {
        operationId: 'getConnection',
        tags,
        summary: 'One connection',
        params: ConnectionParams,
        querystring: NoQuery,
        response: { 200: ConnectionSchema, ...problems('connection_not_found') },
      },
    },
    async ({ tenantId, params }) => connectionView(await connections.get(params.connectionId, { tenantId })),
  );
}

function changeRoutes(app: App, engine: Engine): void {
  const { connections } = engine;
  app.patch(
    '/v1/connections/:connectionId',
    {
      schema: {
        operationId: 'updateConnection',
        tags,
        summary: 'Change a connection',
        description:
          'Renames it, or changes its credentials. New credentials are used within a second, without a restart; ' +
          'they take a block off, and nobody is sent to twice.',
        params: ConnectionParams,
        querystring: NoQuery,
        body: ConnectionPatchBody,
        response: {
          200: ConnectionSchema,
          ...problems(
            ...OPEN_PROBLEMS,
            ...BODY_PROBLEMS,
            'invalid_connection',
            'connection_exists',
            'connection_is_default',
            'unknown_type',
            'unknown_provider',
          ),
        },
      },
    },
    async (request) => {
      const { tenantId, params, body } = request;
      const { name, credentials } = body;
      const patch = {
        ...(name === undefined ? {} : { name }),
        ...(credentials === undefined ? {} : { credentials: jsonFields(credentials) }),
      };
      const connection = await connections.update(params.connectionId, patch, { tenantId });
      const data = { credentials: credentials !== undefined, name: name !== undefined };
      await audited(engine, request, { action: 'connection.changed', target: connection.id, data });
      return connectionView(connection);
    },
  );

  app.delete(
    '/v1/connections/:connectionId',
    {
      schema: {
        operationId: 'deleteConnection',
        tags,
        summary: 'Remove a connection',
        params: ConnectionParams,
        querystring: NoQuery,
        response: {
          204: { type: 'null', description: 'It is gone, and so are its credentials.' },
          ...problems('connection_not_found', 'connection_in_use', 'connection_is_default'),
        },
      },
    },
    async (request, reply) => {
      const { tenantId, params } = request;
      await connections.remove(params.connectionId, { tenantId });
      await audited(engine, request, { action: 'connection.removed', target: params.connectionId });
      return reply.code(204).send(null);
    },
  );
}

function workRoutes(app: App, engine: Engine): void {
  const { connections } = engine;
  app.post(
    '/v1/connections/:connectionId/test',
    {
      schema: {
        operationId: 'testConnection',
        tags,
        summary: 'Test a connection',
        description: 'Opens it and asks the provider, for 10 seconds at most. Nobody is sent anything.',
        params: ConnectionParams,
        querystring: NoQuery,
        response: {
          200: ConnectionTestSchema,
          ...problems(...OPEN_PROBLEMS, 'unknown_type', 'unknown_provider'),
        },
      },
    },
    async ({ tenantId, params }) =>
      connectionTestView(await connections.test(params.connectionId, { tenantId })),
  );

  app.post(
    '/v1/connections/:connectionId/unblock',
    {
      schema: {
        operationId: 'unblockConnection',
        tags,
        summary: 'Take the block off a connection',
        description:
          'A connection is blocked when its credentials or its quota do not work. What waited goes on.',
        params: ConnectionParams,
        querystring: NoQuery,
        response: {
          200: ConnectionSchema,
          ...problems('connection_not_found', 'connection_not_authorized'),
        },
      },
    },
    async (request) => {
      const { tenantId, params } = request;
      const connection = await connections.unblock(params.connectionId, { tenantId });
      await audited(engine, request, { action: 'connection.unblocked', target: connection.id });
      return connectionView(connection);
    },
  );
}
