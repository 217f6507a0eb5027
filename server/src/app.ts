import type { Engine } from '@batchsender/core';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import { type ApiKey, authenticate } from './http/auth.ts';
import { onClientError } from './http/client-error.ts';
import { refuseEncodings } from './http/content-encoding.ts';
import { installErrorHandler, sendError } from './http/error-handler.ts';
import { formConstraint } from './http/form-constraint.ts';
import { installJsonBody } from './http/json-body.ts';
import { installNotFound } from './http/not-found.ts';
import { requestIds } from './http/request-ids.ts';
import { installRequestLog } from './http/request-log.ts';
import { securityHeaders } from './http/security-headers.ts';
import { validatorCompiler } from './http/validator.ts';
import type { MetricsSource } from './metrics/metrics.ts';
import { collectOpenApi, openApiRoutes } from './openapi/routes.ts';
import type { App } from './routes/app-type.ts';
import { auditLogRoute } from './routes/audit-log.ts';
import { batchFormRoute } from './routes/batch-form.ts';
import { batchResultsRoutes } from './routes/batch-results.ts';
import { batchSteeringRoutes } from './routes/batch-steering.ts';
import { batchUploadRoutes } from './routes/batch-upload.ts';
import { batchRoutes } from './routes/batches.ts';
import { callbackRoutes } from './routes/callbacks.ts';
import { connectionRoutes } from './routes/connections.ts';
import { endpointRoutes } from './routes/endpoints.ts';
import { healthRoutes, type RunnerState } from './routes/health.ts';
import { homeRoute } from './routes/home.ts';
import { jobRoutes } from './routes/jobs.ts';
import { metricsRoute } from './routes/metrics.ts';
import { moduleRoutes } from './routes/modules.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { suppressionRoutes } from './routes/suppressions.ts';
import { installTracing } from './tracing/request-spans.ts';

/** Largest JSON body, in bytes; longer lists are uploaded as NDJSON. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Longest line of an upload, in bytes, unless the settings say otherwise. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A connection without any traffic for this long is closed. */
const SOCKET_IDLE_MS = 120_000;

export interface AppOptions {
  readonly engine: Engine;
  readonly apiKey: ApiKey;
  /** Shown in the OpenAPI document. */
  readonly version: string;
  /** A pino logger; without one nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** What `/metrics` answers; without it there is no such address. `isPublic`: it needs no API key. */
  readonly metrics?: { readonly source: MetricsSource; readonly isPublic: boolean };
  /** Longest line of an upload, in bytes. Default 1 MiB. */
  readonly maxLineBytes?: number;
  /** Default: the engine's own runner. */
  readonly runner?: RunnerState;
}

/** Builds the HTTP API over an engine. The caller listens, and closes it before the engine. */
export function buildApp(options: AppOptions): App {
  const { engine } = options;
  const app = createFastify(options.logger);
  app.addConstraintStrategy(formConstraint);
  app.decorateRequest('tenantId', '');
  app.decorateRequest('idempotency', null);
  app.setValidatorCompiler(validatorCompiler);
  // Views pick the fields; a compiled serializer would drop what a schema forgot.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('onRequest', securityHeaders);
  installErrorHandler(app, MAX_BODY_BYTES);
  installRequestLog(app);
  installJsonBody(app);
  installNotFound(app);
  app.addHook('onRequest', authenticate(options.apiKey));
  app.addHook('onRequest', refuseEncodings);
  installTracing(app);
  collectOpenApi(app, options.version, engine.registry.list());
  app.after(() => {
    homeRoute(app);
    healthRoutes(app, engine, options.runner);
    if (options.metrics !== undefined) metricsRoute(app, options.metrics.source, options.metrics.isPublic);
    moduleRoutes(app, engine);
    batchRoutes(app, engine);
    batchFormRoute(app, engine, options.maxLineBytes ?? MAX_LINE_BYTES);
    batchUploadRoutes(app, engine, options.maxLineBytes ?? MAX_LINE_BYTES);
    batchResultsRoutes(app, engine);
    batchSteeringRoutes(app, engine);
    jobRoutes(app, engine);
    connectionRoutes(app, engine);
    oauthRoutes(app, engine);
    endpointRoutes(app, engine);
    suppressionRoutes(app, engine);
    auditLogRoute(app, engine);
    callbackRoutes(app, engine);
    openApiRoutes(app);
  });
  return app;
}

function createFastify(logger: FastifyBaseLogger | undefined): App {
  return fastify({
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    // Its own lines show the raw URL.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    connectionTimeout: SOCKET_IDLE_MS,
    genReqId: requestIds(),
    // While closing, requests on open connections are still served: the engine stops after.
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply, { accepts: [], maxBodyBytes: MAX_BODY_BYTES });
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
}
