import {
  type Call,
  defineProvider,
  forAll,
  guardedAgent,
  type IdentifiedResult,
  type Job,
  jsonList,
} from '@batchsender/core/plugin';
import { groupAlone } from '../group-key.ts';
import { exchangeJson, type Pool } from '../http/exchange-json.ts';
import { isFailure, mailOf } from '../message/mail.ts';
import { type PlainText, plainTexts } from '../message/plain-text.ts';
import { EmailPayload } from '../payload.ts';
import { batchResults, singleResult } from './batch-answer.ts';
import { callbacks } from './callbacks.ts';
import { ResendCredentials } from './credentials.ts';
import { health } from './health.ts';
import { judgeRefusal } from './judge.ts';
import { type ResendEmail, resendEmail } from './message.ts';

/** Where Resend's API is. */
const BASE_URL = 'https://api.resend.com';

/** https://resend.com/docs/api-reference/rate-limit: 5 requests a second for a team. */
const REQUESTS_PER_SECOND = 5;

/** https://resend.com/docs/dashboard/emails/idempotency-keys: 24 hours; ten minutes less, for clocks and calls. */
const KEY_TTL_MS = 86_400_000 - 600_000;

/**
 * Bytes of payload in one call. Resend names no limit but 40 MB for an email; five are the better
 * part of a second on a common line.
 */
const BATCH_BYTES = 5_000_000;

const CONCURRENCY = 10;

/** Sends by the API of Resend, up to a hundred emails a call. */
export const resend = defineProvider({
  title: 'Resend',
  payload: EmailPayload,
  credentials: ResendCredentials,
  // A key belongs to one request, whatever it carries, and the same body must come with it.
  guarantee: { kind: 'keyed', scope: 'call', ttlMs: KEY_TTL_MS },
  // https://resend.com/docs/api-reference/emails/send-batch-emails
  batchSize: 100,
  batchBytes: BATCH_BYTES,
  concurrency: CONCURRENCY,
  rates: ({ requestsPerSecond = REQUESTS_PER_SECOND }) => [
    { per: 'call', max: requestsPerSecond, windowMs: 1_000 },
  ],
  endpointKey: 'api',
  // A batch takes no attachments.
  groupKey: (payload) => (hasAttachments(payload) ? groupAlone(payload) : ''),
  open(credentials, { network }) {
    const { apiKey, baseUrl = BASE_URL } = credentials;
    const pool = guardedAgent(network, { connections: CONCURRENCY });
    const api: Api = { pool, baseUrl: baseUrl.replace(/\/+$/, ''), apiKey, plainText: plainTexts() };
    return {
      processBatch: (jobs, call) => send(api, jobs, call),
      health: (signal) => health(api, signal),
      close: () => pool.destroy(),
    };
  },
  callbacks,
});

/** What calls of a session share. */
export interface Api {
  readonly pool: Pool;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly plainText: PlainText;
}

type Jobs = readonly Job<EmailPayload>[];

const hasAttachments = ({ attachments = [] }: EmailPayload): boolean => attachments.length > 0;

async function send(api: Api, jobs: Jobs, call: Call): Promise<IdentifiedResult[]> {
  const emails = new Map<Job<EmailPayload>, ResendEmail>();
  const results: IdentifiedResult[] = [];
  for (const job of jobs) {
    const mail = mailOf(job.payload, api.plainText);
    if (isFailure(mail)) results.push({ ...mail, jobId: job.id });
    else emails.set(job, resendEmail(mail, job.payload, job.id));
  }
  const together = [...emails.keys()].filter(({ payload }) => !hasAttachments(payload));
  // With attachments they share a call only if their payloads are the same.
  const alone = [...emails.keys()].filter(({ payload }) => hasAttachments(payload));
  for (const job of alone) results.push(...(await post(api, [job], emails, { call, key: job.id })));
  if (together.length > 0) {
    results.push(...(await post(api, together, emails, { call, key: call.idempotencyKey })));
  }
  return results;
}

async function post(
  api: Api,
  jobs: Jobs,
  emails: ReadonlyMap<Job<EmailPayload>, ResendEmail>,
  { call, key }: { call: Call; key: string },
): Promise<readonly IdentifiedResult[]> {
  const bodies = jobs.map((job) => emails.get(job));
  const single = jobs.length === 1;
  const answer = await exchangeJson(api.pool, {
    url: `${api.baseUrl}/emails${single ? '' : '/batch'}`,
    headers: {
      authorization: `Bearer ${api.apiKey}`,
      'idempotency-key': key,
      ...(single ? {} : { 'x-batch-validation': 'permissive' }),
    },
    body: single ? JSON.stringify(bodies[0]) : jsonList(bodies),
    signal: call.signal,
  });
  if (answer.status === 'blocked') return forAll(jobs, answer);
  if (answer.status !== 200) return forAll(jobs, judgeRefusal(answer));
  return single ? forAll(jobs, singleResult(answer.body)) : batchResults(jobs, answer.body);
}
