import type { FastifyInstance } from 'fastify';

/**
 * Logs a line a request: method, route pattern, status, duration, id. Never the address itself,
 * headers or bodies: they may hold keys and payloads.
 */
export function installRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const fields = {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (request.routeOptions.config.isQuiet === true) request.log.debug(fields, 'request');
    else request.log.info(fields, 'request');
    done();
  });
  // A client that goes away in the middle gets no response, so the line above does not come.
  app.addHook('onRequestAbort', (request, done) => {
    request.log.info({ method: request.method, route: request.routeOptions.url ?? null }, 'request cut off');
    done();
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True: requests are logged at debug level only, such as those of health checks. */
    isQuiet?: boolean;
  }
}
