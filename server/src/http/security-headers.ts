import type { onRequestHookHandler } from 'fastify';

/** Answers with payloads in them are kept by no cache, and no answer is taken for another type than it has. */
export const securityHeaders: onRequestHookHandler = (request, reply, done) => {
  reply.header('x-content-type-options', 'nosniff');
  if (request.routeOptions.config.isPublic !== true) reply.header('cache-control', 'no-store');
  done();
};
