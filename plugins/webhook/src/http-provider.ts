import { defineProvider, failed, guardedAgent, type JobResult } from '@batchsender/core/plugin';
import { guaranteeOf, HttpCredentials } from './credentials.ts';
import { deliver } from './deliver.ts';
import { judge } from './judge.ts';
import { DEFAULT_TIMEOUT_MS, WebhookPayload } from './payload.ts';
import { signerOf } from './sign.ts';
import { originOf, parsePlace } from './target.ts';

/** Calls at once per connection; no pool of an origin needs more sockets than this. */
const CONCURRENCY = 100;

/** Makes HTTP calls to any endpoint. */
export const http = defineProvider({
  title: 'HTTP',
  payload: WebhookPayload,
  credentials: HttpCredentials,
  guarantee: guaranteeOf,
  concurrency: CONCURRENCY,
  timeoutMs: (payload) => payload.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  endpointKey: ({ url }) => originOf(url),
  open(credentials, context) {
    const sign = signerOf(credentials);
    const pool = guardedAgent(context.network, { connections: CONCURRENCY });
    return {
      async process({ payload }, call): Promise<JobResult> {
        const startedMs = performance.now();
        const place = parsePlace(payload.url);
        if (typeof place === 'string') return failed('invalid_url', { message: place });
        const request = { payload, idempotencyKey: call.idempotencyKey, sign };
        const delivery = await deliver(pool, place, request, {
          call,
          keepBody: payload.successBody !== undefined,
        });
        return judge(delivery, payload, {
          durationMs: performance.now() - startedMs,
          timeoutMs: call.timeoutMs,
        });
      },
      close: () => pool.destroy(),
    };
  },
});
