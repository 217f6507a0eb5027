import type { RegisteredModule } from '@batchsender/core';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { App } from '../routes/app-type.ts';
import { completeDocument, DOCUMENT, SECURITY_SCHEMES } from './document.ts';

// The page needs no inline script or style and nothing from elsewhere.
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Collects the routes that are registered after it. */
export function collectOpenApi(app: App, version: string, modules: readonly RegisteredModule[]): void {
  app.register(fastifySwagger, {
    openapi: {
      ...DOCUMENT,
      info: { ...DOCUMENT.info, version },
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transformObject: (document) =>
      completeDocument('openapiObject' in document ? document.openapiObject : {}, modules),
  });
}

/** `GET /openapi.json` and the page at `/docs`. */
export function openApiRoutes(app: App): void {
  const config = { isPublic: true, isQuiet: true };
  app.get('/openapi.json', { config, schema: { hide: true } }, () => app.swagger());
  app.register(async (scope: App) => {
    // The page's own routes take no options from here, so they are opened as they register.
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...config };
    });
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      staticCSP: CSP,
      theme: { title: 'BatchSender API' },
      uiConfig: { docExpansion: 'list', persistAuthorization: false },
    });
  });
}
