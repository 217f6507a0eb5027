import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What a path answers. */
export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Paths with what answers a GET of them. */
export type PlainRoutes = Readonly<Record<string, () => PlainAnswer | Promise<PlainAnswer>>>;

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

async function find(routes: PlainRoutes, { method, url = '/' }: IncomingMessage): Promise<PlainAnswer> {
  const path = url.split('?', 1)[0] ?? '/';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return plainJson(404, { status: 404, code: 'not_found' });
  if (method !== 'GET' && method !== 'HEAD')
    return plainJson(405, { status: 405, code: 'method_not_allowed' });
  try {
    return await route();
  } catch {
    return plainJson(500, { status: 500, code: 'internal_error' });
  }
}

/** What `/healthz` and `/readyz` of a process without an API answer. */
export function healthPages(isReady: () => Promise<{ database: boolean; runner: boolean }>): PlainRoutes {
  return {
    '/healthz': () => plainJson(200, { status: 'ok' }),
    '/readyz': async () => {
      const { database, runner } = await isReady();
      if (database && runner) return plainJson(200, { status: 'ok', database, runner });
      const code = database ? 'runner_not_ready' : 'database_unavailable';
      return plainJson(503, { status: 503, code, database, runner });
    },
  };
}
