/** Waits between the tries of a write that the database did not take, in milliseconds. */
export const RETRY_MS = [50, 100, 250, 500, 1_000] as const;

/** Classes of SQLSTATE after which the same statement may succeed; no SQLSTATE is a broken connection. */
const TRANSIENT = /^(08|40|53|55|57|58|25006)/;

export function isTransient(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return true;
  return code.length !== 5 || TRANSIENT.test(code);
}
