import type { Engine } from '@batchsender/core';
import { Type } from 'typebox';
import { NoQuery } from '../schemas/common.ts';
import {
  AuthorizeAnswer,
  AuthorizeBody,
  ConnectionParams,
  OAuthCallbackQuery,
} from '../schemas/connection.ts';
import { BODY_PROBLEMS, problems, problemsOnly } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

const GRANTED = 'Access was granted. You may close this window.\n';

/** `POST /v1/connections/{id}/authorize`, and where the provider sends the person back. */
export function oauthRoutes(app: App, { connections }: Engine): void {
  app.post(
    '/v1/connections/:connectionId/authorize',
    {
      schema: {
        operationId: 'authorizeConnection',
        tags: ['Connections'],
        summary: 'Begin an OAuth grant',
        description: 'Answers the URL at which a person grants access. Needs BATCHSENDER_PUBLIC_URL.',
        params: ConnectionParams,
        querystring: NoQuery,
        body: AuthorizeBody,
        response: {
          200: AuthorizeAnswer,
          ...problems(
            ...BODY_PROBLEMS,
            'connection_not_found',
            'connection_is_default',
            'invalid_connection',
            'oauth_unsupported',
            'public_url_missing',
            'secret_key_missing',
            'secret_key_wrong',
          ),
        },
      },
    },
    ({ tenantId, params, body }) => connections.authorize(params.connectionId, { tenantId, ...body }),
  );

  app.get(
    '/v1/oauth/callback',
    {
      // The state is the proof: random, for one use, and only for minutes.
      config: { isPublic: true },
      schema: {
        operationId: 'oauthCallback',
        tags: ['Connections'],
        summary: 'End an OAuth grant',
        description: 'The provider sends the person here. It is no call for API clients.',
        security: [],
        querystring: OAuthCallbackQuery,
        response: {
          200: {
            description: 'Access was granted.',
            content: { 'text/plain': { schema: Type.String() } },
          },
          303: { description: 'To the `returnUrl`.', type: 'null' },
          ...problemsOnly(
            'invalid_query',
            'oauth_state_invalid',
            'oauth_refused',
            'secret_key_missing',
            'secret_key_wrong',
            'internal_error',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ query: { state, code, error } }, reply) => {
      const { returnUrl } = await connections.completeAuthorization({
        state,
        ...(code === undefined ? {} : { code }),
        ...(error === undefined ? {} : { error }),
      });
      // Neither code nor state may be kept or told on.
      reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
      if (returnUrl !== undefined) return reply.redirect(returnUrl, 303);
      return reply.type('text/plain; charset=utf-8').send(GRANTED);
    },
  );
}
