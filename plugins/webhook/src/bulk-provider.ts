import {
  type Call,
  defineProvider,
  failed,
  forAll,
  guardedAgent,
  type IdentifiedResult,
  type Job,
  type JobResult,
  type OpenContext,
  type Provider,
  retry,
} from '@batchsender/core/plugin';
import type { Dispatcher } from 'undici';
import { answerLimit, readResults, resultList } from './bulk-answer.ts';
import { bulkBody, groupKey, refusal } from './bulk-call.ts';
import { BulkCredentials, guaranteeOf } from './bulk-credentials.ts';
import { type Delivery, deliver } from './deliver.ts';
import { judge } from './judge.ts';
import { WebhookPayload } from './payload.ts';
import { type Signer, signerOf } from './sign.ts';
import { originOf, parsePlace } from './target.ts';

/** Calls at once per connection; no pool of an origin needs more sockets than this. */
const CONCURRENCY = 20;

/** Time allowed for a call if the payload names none, in milliseconds: it carries many jobs. */
const TIMEOUT_MS = 30_000;

/** How large the calls of the provider `bulk` may get. */
export interface BulkOptions {
  /** Most jobs in one call. Default 100. */
  readonly batchSize?: number;
  /**
   * Most bytes of payload in one call. Default 1,000,000, which fits into the 1 MiB that nginx
   * (`client_max_body_size`) and Fastify (`bodyLimit`) take unless they are told otherwise.
   */
  readonly batchBytes?: number;
}

/** Makes HTTP calls that carry many jobs each; the answer tells the fate of each job. */
export function bulkProvider({
  batchSize = 100,
  batchBytes = 1_000_000,
}: BulkOptions = {}): Provider<WebhookPayload, BulkCredentials> {
  return defineProvider({
    title: 'HTTP, many jobs a call',
    payload: WebhookPayload,
    credentials: BulkCredentials,
    guarantee: guaranteeOf,
    batchSize,
    batchBytes,
    concurrency: CONCURRENCY,
    timeoutMs: (payload) => payload.timeoutMs ?? TIMEOUT_MS,
    endpointKey: ({ url }) => originOf(url),
    groupKey,
    open(credentials, context) {
      const { trustStatus = false } = credentials;
      const sign = signerOf(credentials);
      const pool = guardedAgent(context.network, { connections: CONCURRENCY });
      const parts: Parts = { pool, sign, trustStatus, logger: context.logger };
      return {
        processBatch: (jobs, call) => makeCall(parts, jobs, call),
        close: () => pool.destroy(),
      };
    },
  });
}

interface Parts {
  readonly pool: Dispatcher;
  readonly sign: Signer | undefined;
  readonly trustStatus: boolean;
  readonly logger: OpenContext['logger'];
}

type Jobs = readonly Job<WebhookPayload>[];

async function makeCall(parts: Parts, jobs: Jobs, call: Call): Promise<readonly IdentifiedResult[]> {
  const startedMs = performance.now();
  // All but the body is the same in all of them: that is what they were grouped by.
  const { payload } = jobs[0] as Job<WebhookPayload>;
  const place = parsePlace(payload.url);
  if (typeof place === 'string') return forAll(jobs, failed('invalid_url', { message: place }));
  const refused = refusal(payload);
  if (refused !== undefined) return forAll(jobs, refused);
  const request = {
    payload: { ...payload, body: bulkBody(jobs) },
    idempotencyKey: call.idempotencyKey,
    sign: parts.sign,
  };
  const delivery = await deliver(parts.pool, place, request, {
    call,
    keepBody: true,
    bodyLimit: answerLimit(jobs.length),
  });
  const result = judge(delivery, payload, {
    durationMs: performance.now() - startedMs,
    timeoutMs: call.timeoutMs,
  });
  return result.status === 'succeeded'
    ? readAnswer(parts, jobs, call, { delivery, result })
    : forAll(jobs, result);
}

/** What a call with a success status comes to. */
function readAnswer(
  { trustStatus, logger }: Parts,
  jobs: Jobs,
  { idempotencyKey }: Call,
  { delivery, result }: { delivery: Delivery; result: Extract<JobResult, { status: 'succeeded' }> },
): readonly IdentifiedResult[] {
  const list = resultList(delivery as Extract<Delivery, { kind: 'answer' }>);
  const { data = {} } = result;
  if (list.results === undefined) {
    if (list.plain && trustStatus) return forAll(jobs, result);
    // It may have done the jobs or not. As after a lost answer, the guarantee decides.
    return forAll(jobs, retry(list.code, { message: list.message, possibleDuplicate: true, data }));
  }
  const { results, defects } = readResults(jobs, list.results, data);
  if (Object.keys(defects).length > 0) {
    logger.warn(
      { callId: idempotencyKey, jobs: jobs.length, ...defects },
      'a webhook receiver answered a list of results that does not fit the call',
    );
  }
  return results;
}
