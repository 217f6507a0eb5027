import { blocked, failed, type JobResult, retry, throttled } from '@batchsender/core/plugin';
import { type Reply, replyText } from './reply.ts';
import { codeOf } from './reply-codes.ts';

/** What the server answered to. `dot` is the end of the message. */
export type Step = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'dot';

/** How long calls rest after a server said that it is not there for us now. No server says how long. */
const THROTTLE_MS = 30_000;

/**
 * Least wait after a mailbox was deferred: greylisting servers take a repeat after some minutes
 * (RFC 6647, section 5), and RFC 5321, section 4.5.4.1 asks for patience in general.
 */
const DEFER_MS = 300_000;

/** Enhanced codes that ask the whole connection for patience (RFC 3463: 3.2 and 4.5 are of the system; 7.0 is how rates are limited). */
const PATIENCE = /^4\.(3\.2|4\.5|7\.0)$/;

/** Replies that ask for a login, or refuse it (RFC 4954, section 6; RFC 3207, section 4 for the first of them). */
const LOGIN = new Set([530, 534, 535, 538]);

const BEFORE: ReadonlySet<Step> = new Set(['greeting', 'ehlo', 'starttls', 'auth']);

/**
 * What a refusal means for a job. At none of these steps has the server taken the message.
 * The first digit rules: 4 is for now, 5 for good (RFC 5321, section 4.2.1).
 */
export function verdict(reply: Reply, step: Step): JobResult {
  const temporary = reply.status < 500;
  if (BEFORE.has(step)) return beforeMessage(reply, step, temporary);
  if (temporary && isPatience(reply, step)) return throttled(THROTTLE_MS, { code: codeOf(reply) });
  if (!temporary && (LOGIN.has(reply.status) || reply.enhanced === '5.7.8')) {
    return blocked('auth_required', { message: `The server asks for a login (${replyText(reply)})` });
  }
  const extra = { message: messageOf(reply, step), data: dataOf(reply, step) };
  const code = step === 'mail' ? senderCode(reply) : codeOf(reply);
  if (temporary) return retry(code, { ...extra, ...(step === 'rcpt' ? { afterMs: DEFER_MS } : {}) });
  // The commands came in a wrong order for the server: a new connection puts that right.
  return reply.status === 503 ? retry(code, extra) : failed(code, extra);
}

/** Status and step, for the event log. */
const dataOf = ({ status, enhanced }: Reply, step: Step): { [name: string]: string | number } => ({
  smtpStatus: status,
  ...(enhanced === undefined ? {} : { enhancedStatus: enhanced }),
  step,
});

/** Before the first command of a message it is the connection that does not work, not the job. */
function beforeMessage(reply: Reply, step: Step, temporary: boolean): JobResult {
  const code = step === 'auth' || step === 'starttls' ? step : 'server';
  if (temporary) return throttled(THROTTLE_MS, { code: `${code}_unavailable` });
  const message = `${WHAT[step]} (${replyText(reply)})`;
  if (step === 'auth') return blocked('auth_failed', { message });
  return blocked(step === 'starttls' ? 'tls_not_offered' : 'server_refused', { message });
}

/** One mailbox that is busy asks for nothing of the others, but 421 ends the connection. */
function isPatience({ status, enhanced }: Reply, step: Step): boolean {
  if (status === 421) return true;
  return step !== 'rcpt' && enhanced !== undefined && PATIENCE.test(enhanced);
}

/** At MAIL a plain code is about the sender. */
function senderCode(reply: Reply): string {
  const code = codeOf(reply);
  return /^(mailbox|address|domain|message_refused|policy)/.test(code) && reply.status !== 552
    ? 'sender_refused'
    : code;
}

const WHAT: Readonly<Record<Step, string>> = {
  greeting: 'The server refused the connection',
  ehlo: 'The server refused the session',
  starttls: 'The server offers no TLS, which the settings require',
  auth: 'The server refused user and password',
  mail: 'The server refused the sender',
  rcpt: 'The server refused the recipient',
  data: 'The server refused the transaction',
  dot: 'The server refused the message',
};

const messageOf = (reply: Reply, step: Step): string => `${WHAT[step]} (${replyText(reply)})`;
