import type { Provider } from '../../plugin/index.ts';

const DEFAULT_CONCURRENCY = 10;

/** Calls at once that a provider allows for a connection; undefined if its function throws or answers no such number. */
export function concurrencyOf(provider: Provider, credentials: never): number | undefined {
  const { concurrency = DEFAULT_CONCURRENCY } = provider;
  if (typeof concurrency === 'number') return concurrency;
  try {
    const asked: unknown = concurrency(credentials);
    return Number.isSafeInteger(asked) && (asked as number) >= 1 ? (asked as number) : undefined;
  } catch {
    return undefined;
  }
}
