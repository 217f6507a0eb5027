import type { Engine } from '@batchsender/core';
import { NoQuery } from '../schemas/common.ts';
import { ModuleList, moduleView } from '../schemas/module.ts';
import { problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /v1/modules`. */
export function moduleRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/modules',
    {
      schema: {
        operationId: 'listModules',
        tags: ['Modules'],
        summary: 'List the installed modules',
        description: 'Job types that this server can deliver, with the JSON Schemas of their payloads.',
        querystring: NoQuery,
        response: { 200: ModuleList, ...problems() },
      },
    },
    () => ({ items: engine.registry.list().map(moduleView), nextCursor: null }),
  );
}
