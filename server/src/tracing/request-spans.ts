import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The context with the request's span; null if it is not traced. */
    traceContext: Context | null;
  }
}

/** Routes with a span a request. */
const TRACED = /^\/v1\//;

/**
 * A span a request of the API, below the caller's `traceparent`. Attributes are method, route and
 * status: never the address, headers or bodies. Without an OpenTelemetry SDK nothing happens.
 */
export function installTracing(app: FastifyInstance): void {
  const tracer = trace.getTracer('@batchsender/server');
  app.decorateRequest('traceContext', null);
  app.addHook('onRoute', inContext);
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (route !== undefined && TRACED.test(route)) request.traceContext = begin(request, route);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    end(request, reply.statusCode);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    end(request, undefined);
    done();
  });

  function begin(request: FastifyRequest, route: string): Context | null {
    const active = context.active();
    // An instrumentation of HTTP has read the headers already.
    const isInside = trace.getSpan(active) !== undefined;
    const parent = isInside ? active : propagation.extract(active, request.headers);
    const kind = isInside ? SpanKind.INTERNAL : SpanKind.SERVER;
    const span = tracer.startSpan(`${request.method} ${route}`, { kind }, parent);
    if (!isSpanContextValid(span.spanContext())) return null;
    span.setAttributes({ 'http.request.method': request.method, 'http.route': route });
    return trace.setSpan(parent, span);
  }
}

/** Runs the handler in the request's context: what came before it, such as reading the body, may have lost it. */
function inContext(route: RouteOptions): void {
  const { handler } = route;
  route.handler = function handleInContext(request, reply) {
    const { traceContext } = request;
    if (traceContext === null) return handler.call(this, request, reply);
    return context.with(traceContext, () => handler.call(this, request, reply));
  };
}

function end(request: FastifyRequest, status: number | undefined): void {
  const span = request.traceContext === null ? undefined : trace.getSpan(request.traceContext);
  if (span === undefined) return;
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (status === undefined || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
