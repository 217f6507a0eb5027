import type { AuditLog, AuditStore } from './audit.ts';
import { newestPage } from './pages.ts';
import { tenantOf } from './tenant.ts';

/** The audit log over its store. */
export function auditLog(store: AuditStore, migrate: () => Promise<void>): AuditLog {
  return {
    async record(entry, tenant) {
      await migrate();
      await store.record(tenantOf(tenant), entry, 1);
    },
    async list({ action, ...filter } = {}) {
      await migrate();
      const only = action === undefined ? {} : { action };
      return newestPage(filter, (query) => store.list(tenantOf(filter), { ...query, ...only }));
    },
  };
}
