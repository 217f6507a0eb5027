import type { SingleSession } from './contract.ts';
import { blocked } from './result.ts';

/**
 * A session for credentials that fit the schema and contradict each other: no job is at fault, so the
 * connection waits until they are mended.
 *
 * @param message What is wrong and how to mend it; without secrets.
 */
export function brokenSession<P>(message: string): SingleSession<P> {
  const code = 'invalid_settings';
  return {
    process: () => blocked(code, { message }),
    health: async () => ({ code, message }),
  };
}
