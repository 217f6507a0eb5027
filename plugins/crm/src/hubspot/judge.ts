import { blocked, failed, type JobResult, parseJson } from '@batchsender/core/plugin';
import { objectOf, textOf } from '../http-text.ts';
import { patience, resultOfStatus } from '../refused-call.ts';
import type { HubspotRefusal } from './client.ts';

// Statuses and waits: https://developers.hubspot.com/docs/api-reference/error-handling and
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines

/** The daily limit ends at midnight in the account's time zone, which no answer names. */
const DAILY_PAUSE_MS = 900_000;
const ROLLING_PAUSE_MS = 10_000;
const LOCK_MS = 2_000;
const MIGRATION_PAUSE_MS = 3_600_000;

/** Statuses that speak of what is in the records. */
const OF_RECORDS = new Set([400, 404, 409, 413, 422]);

/** Sentences about the object or the external id: no record of the call can be written, whatever is in it. */
const OF_ALL = /infer object type|non-unique/i;

/** What HubSpot says in the body of an error. */
export const errorOf = ({ body }: HubspotRefusal): Readonly<Record<string, unknown>> =>
  objectOf(typeof body === 'string' ? parseJson(body) : body) ?? {};

/** What an error status means for the whole call; undefined if it is about its records. */
export function judgeCall(refusal: HubspotRefusal): JobResult | undefined {
  const { status, headers } = refusal;
  const error = errorOf(refusal);
  const category = textOf(error['category']);
  const wait = headers['retry-after'];
  switch (status) {
    case 401:
      return category === 'EXPIRED_AUTHENTICATION'
        ? blocked('token_expired', { message: 'The access token has expired: connect HubSpot again' })
        : blocked('auth_failed', { message: 'HubSpot refused the access token: give a valid one' });
    case 403:
      return category === 'MISSING_SCOPES'
        ? blocked('missing_scopes', { message: 'The app lacks a scope for this object: add it in HubSpot' })
        : blocked('forbidden', { message: 'HubSpot does not let this app write here: see its permissions' });
    case 429:
      return error['policyName'] === 'DAILY'
        ? patience(wait, DAILY_PAUSE_MS, 'daily_limit')
        : patience(wait, ROLLING_PAUSE_MS, 'rate_limited');
    case 423:
      return patience(wait, LOCK_MS, 'locked');
    case 477:
      return patience(wait, MIGRATION_PAUSE_MS, 'migration_in_progress');
    default:
      if (!OF_RECORDS.has(status)) return resultOfStatus({ status, headers });
      if (!OF_ALL.test(textOf(error['message']) ?? '')) return undefined;
      return failed('invalid_object', {
        message: 'HubSpot does not know the object, or externalIdField is no property with unique values',
      });
  }
}
