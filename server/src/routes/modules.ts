import type { Engine } from '@batchsender/core';
import { NoQuery } from '../schemas/common.ts';
import { ModuleList, ModuleParams, moduleView, PreviewBody, PreviewSchema } from '../schemas/module.ts';
import { BODY_PROBLEMS, problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /v1/modules` and `POST /v1/modules/{type}/preview`. */
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

  app.post(
    '/v1/modules/:type/preview',
    {
      schema: {
        operationId: 'previewJob',
        tags: ['Modules'],
        summary: 'Look at a job before it is sent',
        description:
          'Merges the defaults, renders the templates, checks the result, and tells what the module says of it, such as ' +
          'the segments of a text message. Nothing is stored.',
        params: ModuleParams,
        querystring: NoQuery,
        body: PreviewBody,
        response: {
          200: PreviewSchema,
          ...problems(...BODY_PROBLEMS, 'unknown_type', 'invalid_batch', 'invalid_template'),
        },
      },
    },
    ({ params: { type }, body: { payload, defaults } }) => {
      const preview = engine.preview({ type, payload, ...(defaults === undefined ? {} : { defaults }) });
      return { ...preview, problems: [...preview.problems] };
    },
  );
}
