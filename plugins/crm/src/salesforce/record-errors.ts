import { blocked, failed, type Job, type JobResult, retry, succeeded } from '@batchsender/core/plugin';
import { listOf, objectOf, textOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { refusalOf } from '../vendor-text.ts';

// Codes: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm#i1421192

/** What goes away by itself. */
const TRANSIENT = new Set([
  'UNABLE_TO_LOCK_ROW',
  'SERVER_UNAVAILABLE',
  'REQUEST_RUNNING_TOO_LONG',
  'QUERY_TIMEOUT',
]);

/** Before a row that was locked is tried again, in milliseconds: other batches may hold it for long. */
const LOCK_PAUSE_MS = 5_000;

/** What became of a record of which Salesforce says an error: `{ statusCode, message, fields }`. */
export function resultOfError(error: unknown, job: Job<CrmPayload>): JobResult {
  const said = objectOf(error) ?? {};
  const statusCode = textOf(said['statusCode']) ?? '';
  const field = textOf(listOf(said['fields'])[0]);
  const refusal = { code: statusCode, message: textOf(said['message']), field };
  const { code, extra } = refusalOf(refusal, job.payload, 'record_refused');
  if (TRANSIENT.has(statusCode)) return retry(code, { ...extra, afterMs: LOCK_PAUSE_MS });
  if (statusCode === 'STORAGE_LIMIT_EXCEEDED') {
    return blocked(code, { message: 'The organisation has no storage left: free some, or buy more' });
  }
  if (statusCode === 'ENTITY_IS_DELETED' && job.payload.operation === 'delete') {
    return succeeded(job.payload.id, { alreadyGone: true });
  }
  return failed(code, extra);
}

/** An error as the results of a bulk job have it: `CODE:sentence:field, field --`. */
export function parseBulkError(text: string): { statusCode: string; message: string; fields: string[] } {
  const code = /^([A-Z][A-Z0-9_]*):/.exec(text)?.[1];
  if (code === undefined) return { statusCode: '', message: text, fields: [] };
  const rest = text.slice(code.length + 1);
  const end = /:([A-Za-z0-9_., ]*?)\s*--\s*$/.exec(rest);
  const fields = (end?.[1] ?? '').split(',').map((name) => name.trim());
  return {
    statusCode: code,
    message: end === null ? rest : rest.slice(0, end.index),
    fields: fields.filter((name) => name !== ''),
  };
}
