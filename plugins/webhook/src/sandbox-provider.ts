import {
  defineProvider,
  failed,
  type JobResult,
  type Static,
  Type,
  waited,
  whenEnded,
} from '@batchsender/core/plugin';
import type { Delivery } from './deliver.ts';
import { GUARANTEE, judge } from './judge.ts';
import { DEFAULT_TIMEOUT_MS, WebhookPayload } from './payload.ts';
import { originOf, parsePlace } from './target.ts';

/** Schema of the credentials of the provider `sandbox`. It works without any. */
export const SandboxCredentials = Type.Object(
  {
    latencyMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: 'How long a call takes, half as much more or less. Default 50.',
      }),
    ),
  },
  {
    additionalProperties: false,
    // The server shows this when it falls back to the sandbox.
    description: 'It answers in place of the receivers, by the last word of each URL, and calls nobody.',
  },
);

/** The credentials of the provider `sandbox`. */
export type SandboxCredentials = Static<typeof SandboxCredentials>;

const EMPTY = Buffer.alloc(0);
const ABORTED: Delivery = { kind: 'aborted', sent: true };

/** Calls nobody. What becomes of a job is decided by the last segment of its URL's path. */
export const sandbox = defineProvider({
  title: 'Sandbox (calls nobody)',
  payload: WebhookPayload,
  credentials: SandboxCredentials,
  guarantee: GUARANTEE,
  concurrency: 100,
  timeoutMs: (payload) => payload.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  endpointKey: ({ url }) => originOf(url),
  open({ latencyMs = 50 }) {
    return {
      async process({ payload }, { signal, attempt, timeoutMs }): Promise<JobResult> {
        const startedMs = performance.now();
        const place = parsePlace(payload.url);
        if (typeof place === 'string') return failed('invalid_url', { message: place });
        const word = wordOf(place.path);
        const delivery = await deliver(word, { attempt, signal, latencyMs });
        return judge(delivery, payload, { durationMs: performance.now() - startedMs, timeoutMs });
      },
    };
  },
});

const wordOf = (path: string): string =>
  path
    .replace(/[?#].*$/, '')
    .split('/')
    .findLast(Boolean) ?? '';

interface Circumstances {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly latencyMs: number;
}

/** How a call ends, in the words of a real one. */
async function deliver(word: string, { attempt, signal, latencyMs }: Circumstances): Promise<Delivery> {
  if (word === 'hang') return whenEnded(signal, ABORTED);
  if (!(await waited(latencyMs * (0.5 + Math.random()), signal))) return ABORTED;
  const status = /^status-([2-5]\d\d)$/.exec(word)?.[1];
  if (status !== undefined) return answer(Number(status));
  if (word === 'refused') return broken('ECONNREFUSED', false);
  if (word === 'cut') return broken('ECONNRESET', true);
  if (attempt > 1) return answer(200);
  if (word === 'retry') return answer(500);
  if (word === 'throttle') return answer(429, { 'retry-after': '1' });
  return word === 'cut-once' ? broken('ECONNRESET', true) : answer(200);
}

const answer = (status: number, headers: Readonly<Record<string, string>> = {}): Delivery => ({
  kind: 'answer',
  status,
  headers,
  body: EMPTY,
  truncated: false,
});

const broken = (code: string, sent: boolean): Delivery => ({
  kind: 'broken',
  error: Object.assign(new Error('The sandbox ended the connection'), { code }),
  sent,
});
