import { setTimeout as sleep } from 'node:timers/promises';

/** The key of the chaos run's servers, which guards nothing. */
export const API_KEY = 'bs_chaos_key_that_guards_nothing_0123456789';

/** What a careful client sends until it is answered. */
export interface Ask {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  /** An object goes as JSON, a text as NDJSON. */
  readonly body?: object | string;
  readonly idempotencyKey?: string;
  /** Statuses that are answers although they are no success. */
  readonly answers?: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A client that repeats what was not answered, with the same key. */
export type Client = (ask: Ask) => Promise<Answer>;

/** Nobody waits longer for an answer. */
const PATIENCE_MS = 240_000;
const REQUEST_MS = 40_000;
const PAUSE_MS = { first: 100, most: 2_000 };

export interface ClientOptions {
  readonly url: string;
  /** Told of each request that a client gave up, and of refusals that no client should see. */
  onProblem(problem: string): void;
}

/** @throws Error if there is no answer in four minutes, or one that makes no sense. */
export function careful({ url, onProblem }: ClientOptions): Client {
  return async (ask) => {
    const name = `${ask.method ?? 'POST'} ${ask.path}`;
    const deadline = performance.now() + PATIENCE_MS;
    let last = '';
    for (let pauseMs = PAUSE_MS.first; performance.now() < deadline; ) {
      const answer = await once(url, ask).catch((error: Error) => error);
      if (!(answer instanceof Error)) {
        if (isAnswer(answer, ask)) return answer;
        last = `${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`;
        if (!isWorthARepeat(answer)) break;
      } else last = `${answer.name}: ${answer.message}`;
      await sleep(pauseMs);
      pauseMs = Math.min(PAUSE_MS.most, pauseMs * 1.5);
    }
    onProblem(`${name} was given up: ${last}`);
    throw new Error(`${name}: ${last}`);
  };
}

const isAnswer = ({ status }: Answer, { answers = [] }: Ask): boolean =>
  status < 300 || answers.includes(status);

async function once(url: string, { path, method = 'POST', body, idempotencyKey }: Ask): Promise<Answer> {
  const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${API_KEY}`,
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** Codes of a conflict that goes away by itself. */
const PASSING = [
  'idempotency_in_progress',
  'idempotency_key_lost',
  'upload_in_progress',
  'upload_lost',
  'upload_cut',
];

function isWorthARepeat({ status, body }: Answer): boolean {
  if (status >= 500 || status === 429 || status === 408) return true;
  return PASSING.includes((body as { code?: string } | null)?.code ?? '');
}
