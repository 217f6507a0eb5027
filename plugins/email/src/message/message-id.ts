import { createHash } from 'node:crypto';

// RFC 5322, section 3.6.4 (id-left as a dot-atom), and short enough for the 256 characters of a `ref`.
const SAFE = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const MAX_KEY = 60;

/** A call's idempotency key in a form that fits message ids, addresses and names of files. */
export function safeKey(idempotencyKey: string): string {
  if (idempotencyKey.length <= MAX_KEY && SAFE.test(idempotencyKey)) return idempotencyKey;
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 40);
}

/** The same for each attempt of a job, so that receivers and their servers can drop a repeat. */
export function messageIdOf(idempotencyKey: string, domain: string): string {
  // A domain has up to 253 characters, a `ref` at most 256.
  const right = domain.length > 190 ? domain.slice(-190).replace(/^[^a-z0-9]+/, '') : domain;
  return `<${safeKey(idempotencyKey)}@${right}>`;
}

/** The id of the job whose message has this id; undefined if it is not one of ours. */
export function jobOfMessageId(messageId: string | undefined): string | undefined {
  return /^<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d{1,10})@[^<>]+>$/.exec(
    messageId?.trim() ?? '',
  )?.[1];
}
