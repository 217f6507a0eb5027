import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { MetricsSource } from '../metrics/metrics.ts';
import { METRICS_TYPE } from '../metrics/snapshot.ts';

/** What a path answers. */
export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Paths with what answers a GET of them. */
export type PlainRoutes = Readonly<
  Record<string, (request: IncomingMessage) => PlainAnswer | Promise<PlainAnswer>>
>;

const JSON_TYPE = 'application/json; charset=utf-8';

/** An answer as JSON. */
const plainJson = (status: number, body: object): PlainAnswer => ({
  status,
  contentType: JSON_TYPE,
  body: JSON.stringify(body),
});

/** The few pages of a process that has no API. The caller listens, and closes it. */
export function plainHttp(routes: PlainRoutes): Server {
  return createServer((request, response) => void answer(routes, request, response));
}

async function answer(
  routes: PlainRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const { status, contentType, body } = await find(routes, request);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function find(routes: PlainRoutes, request: IncomingMessage): Promise<PlainAnswer> {
  const { method, url = '/' } = request;
  const path = url.split('?', 1)[0] ?? '/';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return plainJson(404, { status: 404, code: 'not_found' });
  if (method !== 'GET' && method !== 'HEAD')
    return plainJson(405, { status: 405, code: 'method_not_allowed' });
  try {
    return await route(request);
  } catch {
    return plainJson(500, { status: 500, code: 'internal_error' });
  }
}

/** `/metrics` of a process without an API; `mayScrape` looks at the `Authorization` header, if that is asked for. */
export function metricsPage(
  source: MetricsSource,
  mayScrape?: (header: string | undefined) => boolean,
): PlainRoutes {
  return {
    '/metrics': async ({ headers }) =>
      mayScrape?.(headers.authorization) === false
        ? plainJson(401, { status: 401, code: 'unauthorized' })
        : { status: 200, contentType: METRICS_TYPE, body: await source.text() },
  };
}

/** What a process needs to do its work. */
export interface Readiness {
  readonly database: boolean;
  readonly runner: boolean;
  /** False while NATS, if it is used, does not answer. */
  readonly transport: boolean;
}

/** What `/healthz` and `/readyz` of a process without an API answer. */
export function healthPages(isReady: () => Promise<Readiness>): PlainRoutes {
  return {
    '/healthz': () => plainJson(200, { status: 'ok' }),
    '/readyz': async () => {
      const state = await isReady();
      const code = missing(state);
      return code === undefined
        ? plainJson(200, { status: 'ok', ...state })
        : plainJson(503, { status: 503, code, ...state });
    },
  };
}

function missing({ database, runner, transport }: Readiness): string | undefined {
  if (!database) return 'database_unavailable';
  if (!runner) return 'runner_not_ready';
  return transport ? undefined : 'nats_unavailable';
}
