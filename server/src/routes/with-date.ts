/** The body with `scheduledAt` as the engine takes it: a date. */
export function withDate<T extends { readonly scheduledAt?: string }>(
  body: T,
): Omit<T, 'scheduledAt'> & { readonly scheduledAt?: Date } {
  const { scheduledAt, ...rest } = body;
  return scheduledAt === undefined ? rest : { ...rest, scheduledAt: new Date(scheduledAt) };
}
