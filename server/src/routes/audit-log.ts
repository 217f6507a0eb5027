import type { Engine } from '@batchsender/core';
import { AuditPage, AuditQuery, auditView } from '../schemas/audit.ts';
import { problems } from '../schemas/problem.ts';
import type { App } from './app-type.ts';

/** `GET /v1/audit-log`. */
export function auditLogRoute(app: App, engine: Engine): void {
  app.get(
    '/v1/audit-log',
    {
      schema: {
        operationId: 'listAuditLog',
        tags: ['Audit'],
        summary: 'Who did what, the newest first',
        description:
          'What was steered, settled and suppressed over the API, and callbacks that were not believed. ' +
          'Entries hold no addresses and no payloads.',
        querystring: AuditQuery,
        response: { 200: AuditPage, ...problems('invalid_cursor') },
      },
    },
    async ({ tenantId, query }) => {
      const { items, nextCursor } = await engine.audit.list({ tenantId, ...query });
      return { items: items.map(auditView), nextCursor };
    },
  );
}
