import { DEFAULT_TENANT, type Tenant } from './api.ts';
import type { AuditLog, AuditStore } from './audit.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { pageLimit } from './pages.ts';

const tenantOf = (options?: Tenant): string => options?.tenantId ?? DEFAULT_TENANT;

/** The audit log over its store. */
export function auditLog(store: AuditStore, migrate: () => Promise<void>): AuditLog {
  return {
    async record(entry, tenant) {
      await migrate();
      await store.record(tenantOf(tenant), entry, 1);
    },
    async list({ cursor, limit: asked, action, ...tenant } = {}) {
      const limit = pageLimit(asked);
      const before = decodeCursor(cursor, /^\d{1,16}$/);
      await migrate();
      const rows = await store.list(tenantOf(tenant), {
        limit: limit + 1,
        ...(action === undefined ? {} : { action }),
        ...(before === undefined ? {} : { before: Number(before) }),
      });
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null };
    },
  };
}
