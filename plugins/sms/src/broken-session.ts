import { blocked, type SingleSession } from '@batchsender/core/plugin';
import type { SmsPayload } from './payload.ts';

/**
 * A session for credentials that fit the schema and contradict each other: no job is at fault, so the
 * connection waits until they are mended.
 */
export function brokenSession(message: string): SingleSession<SmsPayload> {
  const code = 'invalid_settings';
  return {
    process: () => blocked(code, { message }),
    health: async () => ({ code, message }),
  };
}
