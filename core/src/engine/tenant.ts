import { DEFAULT_TENANT, type Tenant } from './api.ts';

/** The tenant of a call. */
export const tenantOf = (options?: Tenant): string => options?.tenantId ?? DEFAULT_TENANT;
