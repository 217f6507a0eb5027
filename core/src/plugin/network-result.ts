import type { Guarantee } from './contract.ts';
import type { NetworkFailure } from './network-error.ts';
import { failed, type JobResult, retry, unknown } from './result.ts';

/**
 * The result of a call that ended in a network error, under the provider's guarantee.
 *
 * | failure | result |
 * |---|---|
 * | permanent | failed |
 * | nothing sent | retry |
 * | perhaps received, `at-least-once` | retry, flagged as a possible duplicate |
 * | perhaps received, `at-most-once` | unknown |
 *
 * Under the other guarantees a lost call has no result (the engine repeats it with its key, or
 * asks `resolve`): throw a `callError`.
 */
export function networkResult(
  failure: NetworkFailure,
  guarantee: Extract<Guarantee, { kind: 'at-least-once' | 'at-most-once' }>,
): JobResult {
  const { code, message } = failure;
  if (failure.permanent) return failed(code, { message });
  if (failure.notSent) return retry(code, { message });
  if (guarantee.kind === 'at-most-once') return unknown(code, { message });
  return retry(code, { message, possibleDuplicate: true });
}
