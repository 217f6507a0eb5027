import { createHash } from 'node:crypto';
import type { EmailPayload } from './payload.ts';

/** Begins the group of a job that shares a call with nobody. */
const ALONE = 'alone:';

/**
 * The group of a job that shares a call with nobody. It must depend on the payload only, so jobs
 * with the very same payload still come together: a provider sends those one by one.
 */
export const groupAlone = (payload: EmailPayload): string =>
  ALONE + createHash('sha256').update(JSON.stringify(payload)).digest('base64url');
