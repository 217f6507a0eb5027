import { failed, type Job, type JobResult } from '@batchsender/core/plugin';
import { methodOf, type WebhookPayload } from './payload.ts';

/** The version of the body below. It rises when a receiver that reads the old one would be lost. */
const FORMAT_VERSION = 1;

/** The body of a call for many jobs. The README describes it for receivers. */
export interface BulkBody {
  readonly version: typeof FORMAT_VERSION;
  readonly jobs: readonly { readonly id: string; readonly body?: unknown }[];
}

/** What a call for many jobs carries: the same bytes in each repeat, so nothing of the attempt. */
export function bulkBody(jobs: readonly Job<WebhookPayload>[]): BulkBody {
  return {
    version: FORMAT_VERSION,
    jobs: jobs.map(({ id, payload: { body } }) => (body === undefined ? { id } : { id, body })),
  };
}

/** Jobs share a call if all that is not their body is the same. */
export function groupKey(payload: WebhookPayload): string {
  const { url, headers, auth, successStatuses, timeoutMs, followRedirects, successBody } = payload;
  return JSON.stringify([
    url,
    methodOf(payload),
    headers,
    auth,
    successStatuses,
    timeoutMs,
    followRedirects,
    successBody !== undefined,
  ]);
}

/** Why jobs with such a payload cannot share calls; undefined if they can. */
export function refusal(payload: WebhookPayload): JobResult | undefined {
  const method = methodOf(payload);
  if (method === 'GET' || method === 'HEAD') {
    return failed('invalid_method', {
      message: `${method} takes no body, and the jobs of a call are in it: use POST, or the provider http`,
    });
  }
  if (payload.successBody === undefined) return undefined;
  return failed('not_for_bulk', {
    message:
      'successBody has no meaning here, the answer tells of each job: remove it, or use the provider http',
  });
}
