import type { Call, JobResult, OpenContext, SingleSession } from '@batchsender/core/plugin';
import { http } from '../../src/http-provider.ts';
import type { HttpCredentials, WebhookPayload } from '../../src/payload.ts';

/** Loopback, of both families. */
const LOOPBACK = ['127.0.0.0/8', '::1'];

export interface Sender {
  /** Makes a call as the engine does. `id` is the job's id. */
  send(
    payload: WebhookPayload,
    options?: { id?: string; attempt?: number; stop?: AbortSignal },
  ): Promise<JobResult>;
  close(): Promise<void>;
}

/** Opens the provider as a host does. Nothing but loopback is allowed beyond the public internet. */
export async function openSender(
  credentials: HttpCredentials = {},
  allow: readonly string[] = LOOPBACK,
): Promise<Sender> {
  const session = (await http.open(credentials, contextFor(allow))) as SingleSession<WebhookPayload>;
  return {
    async send(payload, { id = '0195f3c8-7b1a-7000-8000-000000000000.7', attempt = 1, stop } = {}) {
      const job = { id, batchId: id.split('.')[0] ?? '', seq: 7, payload, attempt, possibleDuplicate: false };
      return session.process(job, callFor(payload, { id, attempt, ...(stop === undefined ? {} : { stop }) }));
    },
    close: async () => session.close?.(),
  };
}

function callFor(
  payload: WebhookPayload,
  options: { id: string; attempt: number; stop?: AbortSignal },
): Call {
  const timeoutMs = (http.timeoutMs as (payload: WebhookPayload) => number)(payload);
  const signals = [AbortSignal.timeout(timeoutMs), ...(options.stop === undefined ? [] : [options.stop])];
  return {
    signal: AbortSignal.any(signals),
    idempotencyKey: options.id,
    attempt: options.attempt,
    timeoutMs,
    note: () => Promise.resolve(),
  };
}

function contextFor(allow: readonly string[]): OpenContext {
  const silent = () => undefined;
  return {
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    connectionId: 'test',
    network: { allow },
    fetch: globalThis.fetch,
    callbackUrl: () => undefined,
  };
}
