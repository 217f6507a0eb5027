import {
  blocked,
  failed,
  type Job,
  type JobResult,
  parseJson,
  retry,
  succeeded,
} from '@batchsender/core/plugin';
import { lost } from '../deliver.ts';
import { objectOf, textOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { patience, resultOfStatus } from '../refused-call.ts';
import { fieldOf, refusalOf } from '../vendor-text.ts';
import { PipedriveError } from './client.ts';

// Statuses: https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes, limits:
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting

/** The budget of a day begins anew at midnight of Pipedrive's servers, which no answer names. */
const DAILY_PAUSE_MS = 900_000;
const BURST_PAUSE_MS = 2_000;

/** What became of a job whose request ended in an error. */
export function resultOfError(error: unknown, job: Job<CrmPayload>): JobResult {
  if (!(error instanceof PipedriveError)) return lost(error).result;
  const { status, headers, text } = error.answer;
  switch (status) {
    case 401:
      return blocked('auth_failed', { message: 'Pipedrive refused the API token: give a valid one' });
    case 402:
      return blocked('payment_required', {
        message: 'The company account is not open: see its subscription',
      });
    case 403:
      return forbidden(text, job);
    case 404:
    case 410:
      return gone(job, status);
    case 429:
      return limited(headers);
    case 400:
    case 409:
    case 413:
    case 415:
    case 422:
      return refused(text, job, status);
    default:
      return resultOfStatus({ status, headers });
  }
}

/** Limits of the plan, such as `feature_capping_deals_limit`, have a code; a user without permission has none. */
function forbidden(text: string, { payload }: Job<CrmPayload>): JobResult {
  const code = textOf(objectOf(parseJson(text))?.['code']);
  if (code === undefined) {
    return blocked('forbidden', { message: 'Pipedrive does not let this user do it: see its permissions' });
  }
  return blocked(refusalOf({ code }, payload, 'forbidden').code, {
    message: 'A limit of your plan is reached',
  });
}

function gone({ payload }: Job<CrmPayload>, status: number): JobResult {
  if (payload.operation === 'delete' && payload.id !== undefined)
    return succeeded(payload.id, { alreadyGone: true });
  return failed(status === 410 ? 'gone' : 'not_found', { message: 'Pipedrive has no such record' });
}

/** Two limits share a status. Of the daily one only a header tells, which the documentation does not name. */
function limited(headers: Readonly<Record<string, string>>): JobResult {
  if (headers['x-daily-ratelimit-token-remaining'] === '0' || headers['x-daily-requests-left'] === '0') {
    return patience(undefined, DAILY_PAUSE_MS, 'daily_limit');
  }
  const wait = headers['retry-after'] ?? headers['x-ratelimit-reset'];
  return patience(wait, BURST_PAUSE_MS, 'rate_limited');
}

/** Pipedrive says what is wrong in a sentence, and names the field in it or in `additional_data`. */
function refused(text: string, { payload }: Job<CrmPayload>, status: number): JobResult {
  const said = objectOf(parseJson(text)) ?? {};
  const message = textOf(said['error']);
  const names = Object.keys(payload.record ?? {});
  const field = names.find((name) => message?.includes(name) === true);
  const code = textOf(said['code']);
  const refusal = refusalOf({ code, message, field: fieldOf(field) }, payload, `http_${status}`);
  return failed(refusal.code, refusal.extra);
}

/** A search does no harm, whatever became of it. */
export function searchFailed(error: unknown, job: Job<CrmPayload>): JobResult {
  const result = resultOfError(error, job);
  if (result.status !== 'retry') return result;
  return retry(result.code, { ...(result.message === undefined ? {} : { message: result.message }) });
}
