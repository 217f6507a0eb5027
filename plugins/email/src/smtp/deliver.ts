import { failed, type JobResult } from '@batchsender/core/plugin';
import type { Message } from '../message/compose.ts';
import { offers, type SmtpError } from './connection.ts';
import { judge, judgeSetup } from './judge.ts';
import type { Lease, Pool } from './pool.ts';
import { parseReply } from './reply.ts';
import { type Outcome, transact } from './transaction.ts';

/** Sends a message in one transaction, and says what became of it. Never rejects. */
export async function deliver(
  pool: Pool,
  message: Message,
  sender: string,
  signal: AbortSignal,
): Promise<JobResult> {
  const first = await attempt(pool, message, sender, { signal, fresh: false });
  if ('result' in first) return first.result;
  // The server had hung up on a connection that was kept: no more than finding that out has happened.
  if (!hungUp(first.outcome, first.messages)) return judge(first.outcome, message);
  const second = await attempt(pool, message, sender, { signal, fresh: true });
  return 'result' in second ? second.result : judge(second.outcome, message);
}

type Attempt = { readonly result: JobResult } | { readonly outcome: Outcome; readonly messages: number };

async function attempt(
  pool: Pool,
  message: Message,
  sender: string,
  { signal, fresh }: { signal: AbortSignal; fresh: boolean },
): Promise<Attempt> {
  let lease: Lease;
  try {
    lease = await pool.acquire(signal, fresh);
  } catch (error) {
    return { result: judgeSetup(error) };
  }
  if (message.needsUtf8 && !offers(lease.connection, 'SMTPUTF8')) {
    void pool.release(lease, 'unused');
    return { result: failed('smtputf8_unsupported', { message: NO_UTF8 }) };
  }
  const outcome = await transact(lease.connection, message, sender, signal);
  void pool.release(lease, stateAfter(outcome));
  return { outcome, messages: lease.messages };
}

const NO_UTF8 =
  'An address has other letters than ASCII before the @, and the server does not take such addresses (SMTPUTF8)';

/** Whether the connection is still in step with the server. */
function stateAfter(outcome: Outcome): 'ready' | 'refused' | 'broken' {
  if (outcome.kind === 'reply') return parseReply(outcome.response) === undefined ? 'broken' : 'ready';
  if (outcome.kind === 'aborted') return 'broken';
  const { error, phase } = outcome;
  const reply = parseReply(error.response);
  const refused = reply !== undefined && reply.status >= 400 && reply.status !== 421 && reply.status !== 503;
  // A refusal in the middle of the body leaves the rest of it on the way.
  return refused && phase !== 'body' && isOfMessage(error) ? 'refused' : 'broken';
}

const isOfMessage = ({ code }: SmtpError): boolean => code === 'EENVELOPE' || code === 'EMESSAGE';

/** True if a kept connection turned out to be closed before the server knew of the message. */
function hungUp(outcome: Outcome, messages: number): boolean {
  if (outcome.kind !== 'error' || outcome.phase !== 'envelope' || messages === 0) return false;
  const { error } = outcome;
  const closed = error.code === 'ECONNECTION' || error.code === 'ESOCKET';
  // RFC 5321, section 3.8: 421 in answer to any command says that the server closes the connection.
  const reply = parseReply(error.response);
  return (closed && reply === undefined) || (reply?.status === 421 && error.command !== 'RCPT TO');
}
