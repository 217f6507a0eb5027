import type { Call, Job, JobResult, OpenContext, Provider, Session } from '@batchsender/core/plugin';
import { fakeCall } from '@batchsender/core/testing';
import type { BulkCredentials } from '../../src/bulk-credentials.ts';
import { bulkProvider } from '../../src/bulk-provider.ts';
import type { HttpCredentials } from '../../src/credentials.ts';
import { http } from '../../src/http-provider.ts';
import type { WebhookPayload } from '../../src/payload.ts';

/** Loopback, of both families. */
const LOOPBACK = ['127.0.0.0/8', '::1'];

const BATCH_ID = '0195f3c8-7b1a-7000-8000-000000000000';

interface CallOptions {
  readonly id?: string;
  readonly attempt?: number;
  readonly stop?: AbortSignal;
}

export interface Sender {
  /** Makes a call as the engine does. `id` is the job's id. */
  send(payload: WebhookPayload, options?: CallOptions): Promise<JobResult>;
  close(): Promise<void>;
}

export interface BulkSender {
  /** Makes a call for jobs `<batchId>.0`, `.1` and so on. `id` is the call's id. */
  send(payloads: readonly WebhookPayload[], options?: CallOptions): Promise<readonly JobResult[]>;
  /** Lines that the provider logged. */
  readonly logged: object[];
  close(): Promise<void>;
}

/** Opens the provider as a host does. Nothing but loopback is allowed beyond the public internet. */
export async function openSender(
  credentials: HttpCredentials = {},
  allow: readonly string[] = LOOPBACK,
): Promise<Sender> {
  const session: Session<WebhookPayload> = await http.open(credentials, contextFor(allow));
  return {
    async send(payload, { id = `${BATCH_ID}.7`, ...options } = {}) {
      const { process } = session;
      if (process === undefined) throw new Error('http takes one job a call');
      return process(jobFor(payload, id), callFor(http, payload, { id, ...options }));
    },
    close: async () => session.close?.(),
  };
}

/** Opens the provider `bulk` in the same way. */
export async function openBulkSender(credentials: BulkCredentials = {}): Promise<BulkSender> {
  const bulk = bulkProvider();
  const logged: object[] = [];
  const session: Session<WebhookPayload> = await bulk.open(credentials, contextFor(LOOPBACK, logged));
  return {
    logged,
    async send(payloads, { id = `${BATCH_ID}.0-1`, ...options } = {}) {
      const jobs = payloads.map((payload, seq) => jobFor(payload, `${BATCH_ID}.${seq}`));
      const [first] = payloads;
      if (first === undefined || session.processBatch === undefined) throw new Error('bulk takes many jobs');
      const answer = await session.processBatch(jobs, callFor(bulk, first, { id, ...options }));
      return answer.map((result) => result as JobResult);
    },
    close: async () => session.close?.(),
  };
}

function jobFor(payload: WebhookPayload, id: string): Job<WebhookPayload> {
  const [batchId = '', seq] = id.split('.');
  return { id, batchId, seq: Number(seq), payload, attempt: 1, possibleDuplicate: false };
}

function callFor(
  provider: Provider<WebhookPayload, never>,
  payload: WebhookPayload,
  { id = '', attempt = 1, stop }: CallOptions,
): Call {
  const timeoutMs = (provider.timeoutMs as (payload: WebhookPayload) => number)(payload);
  const signals = [AbortSignal.timeout(timeoutMs), ...(stop === undefined ? [] : [stop])];
  return fakeCall({ signal: AbortSignal.any(signals), idempotencyKey: id, attempt, timeoutMs });
}

function contextFor(allow: readonly string[], logged: object[] = []): OpenContext {
  const log = (fields: object) => void logged.push(fields);
  return {
    logger: { debug: log, info: log, warn: log, error: log },
    connectionId: 'test',
    network: { allow },
    fetch: globalThis.fetch,
    callbackUrl: () => undefined,
    report: () => undefined,
  };
}
