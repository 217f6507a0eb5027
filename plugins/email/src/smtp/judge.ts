import {
  blocked,
  classifyNetworkError,
  failed,
  type JobResult,
  type NetworkFailure,
  networkResult,
  retry,
  unknown,
} from '@batchsender/core/plugin';
import type { Message } from '../message/compose.ts';
import type { SmtpError } from './connection.ts';
import { judgeRecipients, type Rejection } from './judge-recipients.ts';
import { parseReply, queueIdOf } from './reply.ts';
import type { Outcome, Phase } from './transaction.ts';
import { type Step, verdict } from './verdict.ts';

/** A lost reply to the final dot is `unknown`: a mail that was sent twice cannot be taken back. */
export const GUARANTEE = { kind: 'at-most-once' } as const;

/** What became of a job, from how its transaction ended. The README has the table. */
export function judge(outcome: Outcome, message: Message): JobResult {
  if (outcome.kind === 'aborted') return judgeAborted(outcome.reason, outcome.phase);
  if (outcome.kind === 'error') return judgeError(outcome.error, outcome.phase, message);
  if (parseReply(outcome.response) === undefined) return lost('invalid_response', GARBAGE);
  const queueId = queueIdOf(outcome.response);
  return judgeRecipients(message, rejectionsOf(outcome.rejected), queueId === undefined ? {} : { queueId });
}

/** What an error means that came before the first command of the message. Nothing was sent. */
export function judgeSetup(error: unknown): JobResult {
  const known = error as SmtpError;
  const { code, command = '', message } = known;
  if (code === 'tls_not_offered' || code === 'auth_not_offered') return blocked(code, { message });
  if (isAbort(known)) return judgeAborted(known, 'envelope');
  const reply = parseReply(known.response);
  if (reply !== undefined && reply.status >= 400) return verdict(reply, setupStep(known, command));
  const failure = failureOf(known, 'envelope');
  // It is the settings that lead there: no job is at fault, and none can be sent before they are mended.
  if (failure.permanent || failure.code === 'tls_certificate') {
    return blocked(failure.code, { message: failure.message });
  }
  if (code === 'EAUTH' && known.response === undefined) {
    return blocked('auth_failed', {
      message: 'No way to log in that the settings allow works with this server',
    });
  }
  return networkResult(failure, GUARANTEE);
}

function judgeError(error: SmtpError, phase: Phase, message: Message): JobResult {
  const { response, responseCode, rejectedErrors, code, command } = error;
  const rejections = rejectionsOf(rejectedErrors ?? []);
  if (rejections.length > 0) return judgeRecipients(message, rejections, {});
  const reply = parseReply(response);
  if (reply !== undefined && reply.status >= 400) return verdict(reply, stepOf(error));
  if (code === 'EMESSAGE' && command === 'MAIL FROM') {
    return failed('message_too_large', { message: 'The message is larger than the server takes' });
  }
  // A line that is no reply, or one that does not belong here, in answer to the message.
  if (phase === 'end' && (responseCode !== undefined || response !== undefined))
    return lost('invalid_response', GARBAGE);
  if (response !== undefined) return retry('invalid_response', { message: GARBAGE });
  return networkResult(failureOf(error, phase), GUARANTEE);
}

const GARBAGE = 'The server answered something that is no SMTP reply';

function rejectionsOf(errors: readonly SmtpError[]): Rejection[] {
  return errors.flatMap(({ recipient, response }) => {
    // A line that is no reply is no acceptance: like 451, local error in processing.
    const reply = parseReply(response) ?? { status: 451, enhanced: undefined };
    return recipient === undefined ? [] : [{ address: recipient, reply }];
  });
}

/** The signal knows two reasons: the deadline, and a process that stops. */
function judgeAborted(reason: Error, phase: Phase): JobResult {
  const late = reason.name === 'TimeoutError';
  const code = late ? 'timeout' : 'aborted';
  const why = late ? 'The server took too long' : 'The process stopped';
  if (phase === 'end') return lost(code, `${why} after the message was handed over`);
  return retry(code, { message: `${why} before the message was handed over` });
}

const isAbort = ({ name }: Error): boolean => name === 'TimeoutError' || name === 'AbortError';

const lost = (code: string, message: string): JobResult => unknown(code, { message });

/** Codes of nodemailer for what has no code of the system. */
const KINDS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ECONNECTION: ['connection_closed', 'The server closed the connection'],
  connection_closed: ['connection_closed', 'The server closed the connection'],
  ETIMEDOUT: ['timeout', 'The server did not answer in time'],
  EPROTOCOL: ['invalid_response', GARBAGE],
  ETLS: ['tls_handshake', 'TLS failed'],
};

function failureOf(error: SmtpError, phase: Phase): NetworkFailure {
  const bytesWritten = phase === 'end';
  // nodemailer puts a code of its own over the system's.
  const system = classifyNetworkError(
    error.originalCode === undefined ? error : { code: error.originalCode },
    { bytesWritten },
  );
  if (system.code !== 'network_error' && error.code !== 'ETIMEDOUT') return system;
  const [code, message] = KINDS[error.code ?? ''] ?? ['network_error', 'The connection failed'];
  return { ...system, permanent: false, code, message };
}

function setupStep({ code }: SmtpError, command: string): Step {
  if (code === 'EAUTH' || command.startsWith('AUTH')) return 'auth';
  if (command === 'STARTTLS') return 'starttls';
  return /^(EHLO|HELO)/.test(command) ? 'ehlo' : 'greeting';
}

/** nodemailer says DATA for the reply to the command (`EENVELOPE`) and to the message (`EMESSAGE`). */
function stepOf({ code, command }: SmtpError): Step {
  if (command === 'MAIL FROM') return 'mail';
  if (command === 'RCPT TO') return 'rcpt';
  return code === 'EMESSAGE' ? 'dot' : 'data';
}
