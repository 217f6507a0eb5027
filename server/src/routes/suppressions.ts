import type { Engine } from '@batchsender/core';
import { audited } from '../http/audit.ts';
import { NoQuery } from '../schemas/common.ts';
import { BODY_PROBLEMS, problems } from '../schemas/problem.ts';
import {
  AddBody,
  Added,
  CheckBody,
  Checked,
  RemoveBody,
  Removed,
  SuppressionPage,
  SuppressionsQuery,
  suppressionView,
} from '../schemas/suppression.ts';
import type { App } from './app-type.ts';

const tags = ['Suppressions'];

const CHANGE_PROBLEMS = [...BODY_PROBLEMS, 'unknown_type', 'invalid_recipient'] as const;

/** `/v1/suppressions`: whom nothing is sent to. */
export function suppressionRoutes(app: App, engine: Engine): void {
  listRoute(app, engine);
  addRoute(app, engine);
  removeRoute(app, engine);
  checkRoute(app, engine);
}

function listRoute(app: App, engine: Engine): void {
  app.get(
    '/v1/suppressions',
    {
      schema: {
        operationId: 'listSuppressions',
        tags,
        summary: 'List suppressed recipients, the newest first',
        description: 'Addresses are not kept and cannot be shown: ask about one by the check.',
        querystring: SuppressionsQuery,
        response: { 200: SuppressionPage, ...problems('invalid_cursor') },
      },
    },
    async ({ tenantId, query }) => {
      const { items, nextCursor } = await engine.suppressions.list({ tenantId, ...query });
      return { items: items.map(suppressionView), nextCursor };
    },
  );
}

function addRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/suppressions',
    {
      schema: {
        operationId: 'addSuppressions',
        tags,
        summary: 'Send nothing more to these recipients',
        description:
          'Jobs of this type to them end as `failed` with the code `suppressed`, without a call. ' +
          'It holds for every job that comes from now on; calls that are planned already may go out for five seconds.',
        querystring: NoQuery,
        body: AddBody,
        response: { 200: Added, ...problems(...CHANGE_PROBLEMS) },
      },
    },
    async (request) => {
      const { tenantId, body } = request;
      const { added } = await engine.suppressions.add(body, { tenantId });
      const data = { recipients: body.recipients.length, added, reason: body.reason ?? 'manual' };
      await audited(engine, request, { action: 'suppressions.added', target: body.type, data });
      return { added };
    },
  );
}

function removeRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/suppressions/remove',
    {
      schema: {
        operationId: 'removeSuppressions',
        tags,
        summary: 'Send to these recipients again',
        description: 'Jobs that have failed stay failed: retry their batch to send them.',
        querystring: NoQuery,
        body: RemoveBody,
        response: { 200: Removed, ...problems(...CHANGE_PROBLEMS) },
      },
    },
    async (request) => {
      const { tenantId, body } = request;
      const { removed } = await engine.suppressions.remove(body, { tenantId });
      const data = { recipients: body.recipients.length, removed, reason: body.reason ?? null };
      await audited(engine, request, { action: 'suppressions.removed', target: body.type, data });
      return { removed };
    },
  );
}

function checkRoute(app: App, engine: Engine): void {
  app.post(
    '/v1/suppressions/check',
    {
      schema: {
        operationId: 'checkSuppressions',
        tags,
        summary: 'Are these recipients suppressed?',
        querystring: NoQuery,
        body: CheckBody,
        response: { 200: Checked, ...problems(...CHANGE_PROBLEMS) },
      },
    },
    async ({ tenantId, body }) => {
      const found = await engine.suppressions.check(body, { tenantId });
      return { items: found.map((item) => ({ ...item, reasons: [...item.reasons] })) };
    },
  );
}
