import type { Engine, IncomingCallback } from '@batchsender/core';
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import { type Static, Type } from 'typebox';
import type { App } from './app-type.ts';

/** Largest body of a callback, in bytes. */
const MAX_CALLBACK_BYTES = 1024 * 1024;

const Params = Type.Object({
  type: Type.String(),
  provider: Type.String(),
  connectionId: Type.String(),
});

const NO_BODY = new Uint8Array();

/**
 * `GET` and `POST /v1/callbacks/{type}/{provider}/{connectionId}`: what providers report. Without an API key:
 * the provider's handler verifies each request. It is not in the API's description, since only
 * providers call it, at the URL that they are given with each job.
 */
export function callbackRoutes(app: App, engine: Engine): void {
  // A scope of its own: signatures are over the bytes, so bodies of any type come as they are.
  app.register(async (scope: App) => {
    scope.addHook('onRequest', anyContentType);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.route({
      method: ['GET', 'POST'],
      url: '/v1/callbacks/:type/:provider/:connectionId',
      bodyLimit: MAX_CALLBACK_BYTES,
      config: { isPublic: true, accepts: ['*/*'] },
      exposeHeadRoute: false,
      schema: { hide: true, params: Params },
      handler: async (request, reply) => {
        const {
          status,
          headers = {},
          body,
        } = await engine.callback(request.params as Static<typeof Params>, incoming(request));
        reply.code(status).headers(headers);
        return reply.serializer(String).send(body ?? '');
      },
    });
  });
}

/** Fastify refuses content types that are not well-formed; the handler sees what was sent, in the raw headers. */
const anyContentType: onRequestHookHandler = (request, _reply, done) => {
  request.raw.headers['content-type'] = 'application/octet-stream';
  done();
};

function incoming(request: FastifyRequest): IncomingCallback {
  const { headersDistinct } = request.raw;
  const headers = Object.entries(headersDistinct).map(([name, values]) => [name, values?.join(', ')]);
  return {
    method: request.method === 'GET' ? 'GET' : 'POST',
    path: request.originalUrl,
    headers: Object.fromEntries(headers),
    body: Buffer.isBuffer(request.body) ? request.body : NO_BODY,
  };
}
