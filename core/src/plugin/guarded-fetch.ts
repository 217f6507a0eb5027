import { fetch as undiciFetch } from 'undici';
import type { NetworkPolicy } from './contract.ts';
import { type GuardedAgentOptions, guardedAgent } from './guarded-agent.ts';

/**
 * `fetch` that obeys the network policy, see {@link guardedAgent}. It follows no redirect unless
 * asked (`redirect: 'follow'`): the answer with its 3xx status is returned. Followed redirects are
 * checked like the first address; `Authorization`, `Cookie` and `Proxy-Authorization` are dropped
 * when they lead to another origin (Fetch standard, "HTTP-redirect fetch"), other headers stay.
 *
 * A refused address rejects with a `TypeError` whose `cause` is an `AddressNotAllowedError`.
 */
export function guardedFetch(
  policy: NetworkPolicy,
  options: GuardedAgentOptions = {},
): typeof globalThis.fetch {
  const dispatcher = guardedAgent(policy, options);
  const guarded = (input: Parameters<typeof undiciFetch>[0], init: Parameters<typeof undiciFetch>[1] = {}) =>
    undiciFetch(input, { redirect: 'manual', ...init, dispatcher });
  // Node's own fetch is a copy of undici's, with the same shapes under other type names.
  return guarded as unknown as typeof globalThis.fetch;
}
