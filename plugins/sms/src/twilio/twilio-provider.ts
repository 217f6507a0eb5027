import {
  blocked,
  brokenSession,
  type Call,
  defineProvider,
  type Job,
  type JobResult,
  type OpenContext,
  succeeded,
} from '@batchsender/core/plugin';
import { GUARANTEE, judgeLost, unreadable } from '../judge-lost.ts';
import { type Message, messageOf } from '../message.ts';
import { SmsPayload } from '../payload.ts';
import { parseSender, type Sender } from '../sender.ts';
import { handle } from './callbacks.ts';
import { connect, type Outcome, type TwilioConnection } from './client.ts';
import { DEFAULT_CONCURRENCY, loginOf, TwilioCredentials } from './credentials.ts';
import { judgeRefusal } from './judge.ts';

/**
 * Time for a call, in milliseconds. Twilio answers in well under a second; a call that is given up leaves a
 * message of which nobody knows.
 */
const TIMEOUT_MS = 30_000;

/** Sends through Twilio. */
export const twilio = defineProvider({
  title: 'Twilio',
  payload: SmsPayload,
  credentials: TwilioCredentials,
  // A message has no idempotency key: https://www.twilio.com/docs/api/errors/20500
  guarantee: GUARANTEE,
  concurrency: ({ concurrency = DEFAULT_CONCURRENCY }) => concurrency,
  timeoutMs: TIMEOUT_MS,
  // Twilio takes messages faster than a sender may send, and queues them for up to ten hours:
  // https://www.twilio.com/docs/api/errors/21611
  rates: ({ messagesPerSecond }) =>
    messagesPerSecond === undefined ? [] : [{ per: 'job', max: messagesPerSecond, windowMs: 1_000 }],
  endpointKey: 'api',
  async open(credentials, context) {
    const login = loginOf(credentials);
    const sender = defaultSender(credentials);
    if (typeof login === 'string') return brokenSession(login);
    if (typeof sender === 'string') return brokenSession(sender);
    const connections = credentials.concurrency ?? DEFAULT_CONCURRENCY;
    const connection = await connect(credentials, login, context.network, connections);
    return {
      process: (job, call) => send({ connection, sender, context }, job, call),
      health: (signal) => check(connection, signal),
      close: () => connection.close(),
    };
  },
  callbacks: { handle },
});

interface Parts {
  readonly connection: TwilioConnection;
  /** Sends what names no sender. */
  readonly sender: Sender | undefined;
  readonly context: OpenContext;
}

async function send(
  { connection, sender, context }: Parts,
  job: Job<SmsPayload>,
  call: Call,
): Promise<JobResult> {
  const message = messageOf(job.payload);
  if ('status' in message) return message;
  const from = message.sender ?? sender;
  if (from === undefined) {
    return blocked('sender_missing', {
      message: 'Neither the job nor the connection says who sends: set messagingServiceSid or from',
    });
  }
  const parameters = parametersOf(message, from, context.callbackUrl(job.id));
  const outcome = await connection.call(call.signal, (client) => client.messages.create(parameters));
  const result = judge(outcome, message, call.signal);
  if (result.status === 'failed' && result.code === 'opted_out') {
    context.report({ events: [], suppress: [{ recipient: message.to, reason: 'unsubscribed' }] });
  }
  return result;
}

function parametersOf({ to, body }: Message, from: Sender, statusCallback: string | undefined) {
  return {
    to,
    body,
    ...(from.kind === 'messagingService' ? { messagingServiceSid: from.value } : { from: from.value }),
    ...(statusCallback === undefined ? {} : { statusCallback }),
  };
}

function judge(
  outcome: Outcome<{ readonly sid: unknown }>,
  message: Message,
  signal: AbortSignal,
): JobResult {
  if (outcome.kind === 'value') {
    const { sid } = outcome.value;
    return typeof sid === 'string' && /^[A-Z]{2}[0-9a-f]{32}$/.test(sid)
      ? succeeded(sid, message.data)
      : unreadable();
  }
  const { error, answer } = outcome;
  if (answer === undefined) return judgeLost(error, signal);
  return judgeRefusal({ ...answer, twilioCode: codeIn(error), ownSender: message.sender !== undefined });
}

function codeIn(error: unknown): number | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** Reads one message of the account's list: standard keys may do it, and nothing changes. */
async function check(
  connection: TwilioConnection,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  const outcome = await connection.call(signal, (client) => client.messages.page({ pageSize: 1 }));
  if (outcome.kind === 'value') return undefined;
  const { error, answer } = outcome;
  const twilioCode = codeIn(error);
  // Test credentials may send, and nothing else: https://www.twilio.com/docs/iam/test-credentials
  if (twilioCode === 20008) return undefined;
  const result =
    answer === undefined
      ? judgeLost(error, signal)
      : judgeRefusal({ ...answer, twilioCode, ownSender: false });
  const { code = 'unavailable', message = 'Twilio asks for patience' } = result as {
    code?: string;
    message?: string;
  };
  return { code, message };
}

function defaultSender({ messagingServiceSid, from }: TwilioCredentials): Sender | string | undefined {
  if (messagingServiceSid !== undefined && from !== undefined) {
    return 'The connection has two senders: set messagingServiceSid or from';
  }
  if (messagingServiceSid !== undefined) return { kind: 'messagingService', value: messagingServiceSid };
  if (from === undefined) return undefined;
  return parseSender(from) ?? "The connection's from is no number, short code or name that can send";
}
