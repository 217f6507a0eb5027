import {
  type Call,
  defineProvider,
  forAll,
  guardedAgent,
  type IdentifiedResult,
  type Job,
  jsonList,
} from '@batchsender/core/plugin';
import { exchangeJson, type Pool } from '../http/exchange-json.ts';
import { isFailure, mailOf } from '../message/mail.ts';
import { type PlainText, plainTexts } from '../message/plain-text.ts';
import { EmailPayload } from '../payload.ts';
import { callbacks } from './callbacks.ts';
import { PostmarkCredentials } from './credentials.ts';
import { judgeBatch, judgeRefusal } from './judge.ts';
import { type PostmarkMessage, postmarkMessage } from './message.ts';

/** Where Postmark's API is. */
const BASE_URL = 'https://api.postmarkapp.com';

/** The stream that every server has. */
const STREAM = 'outbound';

/**
 * Bytes of payload in one call. Postmark takes 50 MB
 * (https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits);
 * half of it leaves room for the plain texts that are made from HTML.
 */
const BATCH_BYTES = 25_000_000;

const CONCURRENCY = 5;

/** Sends by the API of Postmark, up to 500 messages a call. */
export const postmark = defineProvider({
  title: 'Postmark',
  payload: EmailPayload,
  credentials: PostmarkCredentials,
  // Postmark knows no keys, and its list of sent messages may be searched only after a while.
  guarantee: { kind: 'at-most-once' },
  // https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails
  batchSize: 500,
  batchBytes: BATCH_BYTES,
  concurrency: CONCURRENCY,
  timeoutMs: 60_000,
  endpointKey: 'api',
  open({ serverToken, messageStream = STREAM, baseUrl = BASE_URL }, { network }) {
    const pool = guardedAgent(network, { connections: CONCURRENCY });
    const api: Api = {
      pool,
      baseUrl: baseUrl.replace(/\/+$/, ''),
      headers: { 'x-postmark-server-token': serverToken },
      stream: messageStream,
      plainText: plainTexts(),
    };
    return {
      processBatch: (jobs, call) => send(api, jobs, call),
      health: (signal) => health(api, signal),
      close: () => pool.destroy(),
    };
  },
  callbacks,
});

interface Api {
  readonly pool: Pool;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: string;
  readonly plainText: PlainText;
}

async function send(
  { pool, baseUrl, headers, stream, plainText }: Api,
  jobs: readonly Job<EmailPayload>[],
  { signal }: Call,
): Promise<readonly IdentifiedResult[]> {
  const sent: Job<EmailPayload>[] = [];
  const messages: PostmarkMessage[] = [];
  const refused: IdentifiedResult[] = [];
  for (const job of jobs) {
    const mail = mailOf(job.payload, plainText);
    if (isFailure(mail)) {
      refused.push({ ...mail, jobId: job.id });
    } else {
      sent.push(job);
      messages.push(postmarkMessage(mail, job.payload, { jobId: job.id, stream }));
    }
  }
  if (sent.length === 0) return refused;
  const body = jsonList(messages);
  const answer = await exchangeJson(pool, { url: `${baseUrl}/email/batch`, headers, body, signal });
  if (answer.status === 'blocked') return [...refused, ...forAll(sent, answer)];
  const results = answer.status === 200 ? judgeBatch(sent, answer) : judgeRefusal(sent, answer);
  return [...refused, ...results];
}

async function health(
  { pool, baseUrl, headers }: Api,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  const answer = await exchangeJson(pool, { url: `${baseUrl}/server`, headers, signal });
  if (answer.status === 'blocked') return { code: answer.code, message: answer.message ?? '' };
  if (answer.status === 200) return undefined;
  return answer.status === 401
    ? { code: 'invalid_token', message: 'Postmark does not know the server token' }
    : { code: `http_${answer.status}`, message: `Postmark answered ${answer.status}` };
}
