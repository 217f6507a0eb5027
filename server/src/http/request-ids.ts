import { randomBytes } from 'node:crypto';

/** Makes request ids that are short, and different in each process. */
export function requestIds(): () => string {
  const prefix = randomBytes(5).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
