import {
  blocked,
  brokenSession,
  type Call,
  defineProvider,
  failed,
  type Job,
  type JobResult,
  type JsonObject,
  type OpenContext,
  succeeded,
} from '@batchsender/core/plugin';
import { GUARANTEE, unreadable } from '../judge-lost.ts';
import { messageOf } from '../message.ts';
import { SmsPayload } from '../payload.ts';
import { parseSender, type Sender } from '../sender.ts';
import { type Answer, messagesApi, type Post } from './api.ts';
import { authorizationOf } from './authorization.ts';
import { handle } from './callbacks.ts';
import { DEFAULT_CONCURRENCY, DEFAULT_PER_SECOND, VonageCredentials } from './credentials.ts';
import { codeIn } from './error-codes.ts';
import { judgeRefusal } from './judge.ts';

/** Most characters of a text: https://developer.vonage.com/en/api/messages */
const MAX_TEXT = 1_000;

/** Time for a call, in milliseconds: one that is given up leaves a message of which nobody knows. */
const TIMEOUT_MS = 30_000;

/** Sends through Vonage's Messages API. */
export const vonage = defineProvider({
  title: 'Vonage',
  payload: SmsPayload,
  credentials: VonageCredentials,
  // The API knows no idempotency key: client_ref comes back in receipts, and is not checked.
  guarantee: GUARANTEE,
  concurrency: ({ concurrency = DEFAULT_CONCURRENCY }) => concurrency,
  timeoutMs: TIMEOUT_MS,
  rates: ({ messagesPerSecond = DEFAULT_PER_SECOND }) => [
    { per: 'job', max: messagesPerSecond, windowMs: 1_000 },
  ],
  endpointKey: 'api',
  open(credentials, context) {
    const authorization = authorizationOf(credentials);
    if (typeof authorization === 'string') return brokenSession(authorization);
    const sender = credentials.from === undefined ? undefined : parseSender(credentials.from);
    if (credentials.from !== undefined && (sender === undefined || sender.kind === 'messagingService')) {
      return brokenSession("The connection's from is no number or name that can send");
    }
    const post = messagesApi(credentials.baseUrl, authorization, context.fetch);
    const parts: Parts = { post, sender, context };
    return {
      process: (job, call) => send(parts, job, call),
      health: (signal) => check(parts, signal),
    };
  },
  callbacks: { handle },
});

interface Parts {
  readonly post: Post;
  /** Sends what names no sender. */
  readonly sender: Sender | undefined;
  readonly context: OpenContext;
}

async function send(parts: Parts, job: Job<SmsPayload>, { signal }: Call): Promise<JobResult> {
  const { sender, context } = parts;
  const message = messageOf(job.payload);
  if ('status' in message) return message;
  if (message.body.length > MAX_TEXT) {
    return failed('body_too_long', {
      message: `Vonage takes at most ${MAX_TEXT} characters: shorten the text`,
    });
  }
  const from = message.sender ?? sender;
  if (from === undefined) {
    return blocked('sender_missing', {
      message: 'Neither the job nor the connection says who sends: set from',
    });
  }
  if (from.kind === 'messagingService') {
    return failed('invalid_sender', { message: 'A messaging service is of Twilio: give a number or a name' });
  }
  const webhook = context.callbackUrl(job.id);
  const body = {
    message_type: 'text',
    channel: 'sms',
    to: withoutPlus(message.to),
    from: withoutPlus(from.value),
    text: message.body,
    // Up to 100 characters, and in every status (https://developer.vonage.com/en/api/messages).
    client_ref: job.id,
    ...(webhook === undefined ? {} : { webhook_url: webhook, webhook_version: 'v1' }),
  };
  const answer = await parts.post(body, signal);
  if ('result' in answer) return answer.result;
  const result = judge(answer, message.data, message.sender !== undefined);
  if (result.status === 'failed' && result.code === 'opted_out') {
    context.report({ events: [], suppress: [{ recipient: message.to, reason: 'unsubscribed' }] });
  }
  return result;
}

/** The API wants numbers to start with the country code. */
const withoutPlus = (number: string): string => number.replace(/^\+/, '');

function judge({ status, retryAfterMs, body }: Answer, data: JsonObject, ownSender: boolean): JobResult {
  if (status < 200 || status >= 300) {
    return judgeRefusal({ status, retryAfterMs, vonageCode: codeIn(body), ownSender });
  }
  const { message_uuid: id } = body as { readonly message_uuid?: unknown };
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? succeeded(id, data) : unreadable();
}

/** A message without any field: refused as such if the credentials are right, and never sent. */
async function check(
  { post }: Parts,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  const answer = await post({}, signal);
  const result = 'result' in answer ? answer.result : judge(answer, {}, true);
  // 400 or 422, with whatever code: they read the message, so they knew who asks.
  if (result.status === 'failed') return undefined;
  const { code = 'unavailable', message = 'Vonage asks for patience' } = result as {
    code?: string;
    message?: string;
  };
  return { code, message };
}
