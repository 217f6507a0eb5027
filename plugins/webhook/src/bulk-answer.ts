import {
  failed,
  type IdentifiedResult,
  type Job,
  type JobResult,
  type JsonObject,
  RETRY_AFTER_CAP_MS,
  retry,
  succeeded,
  unknown,
} from '@batchsender/core/plugin';
import { type Answer, BODY_LIMIT } from './exchange.ts';
import type { WebhookPayload } from './payload.ts';
import { receiverTexts } from './receiver-text.ts';

/** Bytes of the answer that are read for each job of a call, on top of {@link BODY_LIMIT}. */
const LIMIT_A_JOB = 1_024;

/** Bytes of an answer that are read. */
export const answerLimit = (jobs: number): number => BODY_LIMIT + LIMIT_A_JOB * jobs;

/** An answer without a list of results. */
export interface NoList {
  readonly results?: undefined;
  readonly code: 'response_too_large' | 'no_result_list';
  readonly message: string;
  /** True if it does not even look like one, as the answers of receivers that know nothing of lists. */
  readonly plain: boolean;
}

/** The list of results in an answer. */
export function resultList({ body, truncated }: Answer): { readonly results: readonly unknown[] } | NoList {
  if (truncated) {
    const message = `The answer is longer than 64 kB and ${LIMIT_A_JOB} bytes a job`;
    return { code: 'response_too_large', message, plain: false };
  }
  const text = body.toString('utf8');
  const value = parse(text);
  const results = isObject(value) && Object.hasOwn(value, 'results') ? value['results'] : undefined;
  if (Array.isArray(results)) return { results };
  const broken = value === undefined && /^\s*[{[]/.test(text);
  return {
    code: 'no_result_list',
    message: `The answer is ${value === undefined ? 'not JSON' : 'JSON without a list `results`'}`,
    plain: !broken && results === undefined,
  };
}

/** Results by their jobs, and what was wrong with the list. */
export interface ReadResults {
  readonly results: readonly IdentifiedResult[];
  /** How many entries or jobs have each defect; empty if the list is as it should be. */
  readonly defects: Readonly<Record<string, number>>;
}

/**
 * Finds the result of each job by its id, never by its position. A job without exactly one valid
 * result is `unknown` (E22); what the list says of jobs that are not in the call is passed over.
 */
export function readResults(
  jobs: readonly Job<WebhookPayload>[],
  list: readonly unknown[],
  data: JsonObject,
): ReadResults {
  const defects: Record<string, number> = {};
  const count = (defect: string) => {
    defects[defect] = (defects[defect] ?? 0) + 1;
  };
  const found = new Map<string, readonly Entry[]>(jobs.map(({ id }) => [id, []]));
  for (const entry of list) {
    const id = isObject(entry) ? entry['id'] : undefined;
    const entries = typeof id === 'string' ? found.get(id) : undefined;
    if (entries === undefined) count('foreign_result');
    // Two are enough to know that nobody knows.
    else if (entries.length < 2) found.set(id as string, [...entries, entry as Entry]);
  }
  const results = jobs.map((job) => {
    const result = resultOf(job, found.get(job.id) ?? [], data);
    if (result.status === 'unknown') count(result.code);
    return { ...result, jobId: job.id };
  });
  return { results, defects };
}

type Entry = Readonly<Record<string, unknown>>;

function resultOf({ payload }: Job<WebhookPayload>, entries: readonly Entry[], data: JsonObject): JobResult {
  const [entry, second] = entries;
  if (entry === undefined) {
    return unknown('missing_result', { message: 'The receiver answered no result for this job', data });
  }
  if (second !== undefined) {
    return unknown('duplicate_result', { message: 'The receiver answered two results for this job', data });
  }
  const { code, message, ref } = receiverTexts(entry, payload);
  const extra = { ...(message === undefined ? {} : { message }), data };
  switch (entry['status']) {
    case 'succeeded':
      return succeeded(ref, data);
    case 'failed':
      return failed(code ?? 'receiver_failed', extra);
    case 'retry':
      return retry(code ?? 'receiver_retry', { ...extra, ...afterMs(entry['retryAfterMs']) });
    default:
      return unknown('invalid_result', {
        message: "The receiver answered a result whose status is none of 'succeeded', 'failed' and 'retry'",
        data,
      });
  }
}

const afterMs = (value: unknown): { afterMs?: number } =>
  typeof value === 'number' && value >= 0 ? { afterMs: Math.min(value, RETRY_AFTER_CAP_MS) } : {};

const isObject = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined if it is not JSON, which has no such value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
