import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendProblem } from './error-handler.ts';
import { HttpProblem } from './problem.ts';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/**
 * Answers unknown addresses by 404, and known ones with another method by 405: at once, before a
 * key is asked for or a body is read.
 */
export function installNotFound(app: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', (route) => {
    routes.push({ pattern: patternOf(route.url), methods: [route.method].flat() });
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.is404) done(notFound(request, routes));
    else done();
  });
  // Files that the docs page does not have come this way.
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(request, routes), request, reply));
}

function notFound(request: FastifyRequest, routes: readonly KnownRoute[]): HttpProblem {
  const path = request.url.split('?', 1)[0] ?? '/';
  const methods = new Set(
    routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods),
  );
  if (methods.size === 0) {
    return new HttpProblem(
      'route_not_found',
      'There is nothing at this address. GET /openapi.json lists all that there is.',
    );
  }
  const allow = [...methods].sort().join(', ');
  return new HttpProblem('method_not_allowed', `This address takes ${allow}, not ${request.method}.`, {
    headers: { allow },
  });
}

/** `/v1/batches/:id` as a regular expression; a wildcard matches nothing, its owner answers itself. */
function patternOf(url: string): RegExp {
  if (url.includes('*')) return /(?!)/;
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${escaped}$`);
}
