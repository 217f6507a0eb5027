import {
  blocked,
  classifyNetworkError,
  type JobResult,
  LostCallError,
  networkResult,
  unknown,
} from '@batchsender/core/plugin';

/** No provider of SMS recognises a message that is sent twice: one whose outcome is lost is `unknown`. */
export const GUARANTEE = { kind: 'at-most-once' } as const;

/** What a call without an answer comes to. */
export function judgeLost(error: unknown, signal: AbortSignal): JobResult {
  if (signal.aborted) {
    const timedOut = (signal.reason as Error | undefined)?.name === 'TimeoutError';
    return timedOut
      ? unknown('timeout', { message: 'No answer came within the time allowed' })
      : unknown('aborted', { message: 'The process stopped before the answer came' });
  }
  if (error instanceof LostCallError) return unknown(error.code, { message: error.message });
  const failure = classifyNetworkError(error);
  // It is the connection's settings that lead there: no job is at fault.
  if (failure.permanent || failure.code === 'tls_certificate') {
    return blocked(failure.code, { message: failure.message });
  }
  return networkResult(failure, GUARANTEE);
}

/** An answer of success that nobody can read: the message may have been taken. */
export const unreadable = (): JobResult =>
  unknown('invalid_response', { message: 'The provider answered something that is no answer of its API' });
