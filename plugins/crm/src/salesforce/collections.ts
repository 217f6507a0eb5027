import {
  type IdentifiedResult,
  type JobResult,
  LostCallError,
  succeeded,
  unknown,
} from '@batchsender/core/plugin';
import type { Ended, Jobs } from '../deliver.ts';
import { listOf, objectOf, textOf } from '../http-text.ts';
import { judge } from './judge.ts';
import { resultOfError } from './record-errors.ts';
import { jsonRecord } from './rows.ts';
import type { Salesforce } from './transport.ts';

/** Most records in a request of sObject Collections (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm). */
export const COLLECTION_SIZE = 200;

/** Writes at most 200 records by one request. Each succeeds or fails alone (`allOrNone` is false). */
export async function sendCollection(
  { connection, last }: Salesforce,
  jobs: Jobs,
  refused: () => JobResult,
): Promise<Ended> {
  try {
    const answer: unknown = await connection.request(requestFor(jobs));
    return { kind: 'records', results: readResults(jobs, answer) };
  } catch (error) {
    return judge(error, last(), jobs, refused);
  }
}

function requestFor(jobs: Jobs): Parameters<Salesforce['connection']['request']>[0] {
  const [{ payload } = { payload: undefined }] = jobs;
  const path = '/composite/sobjects';
  if (payload?.operation === 'delete') {
    const ids = jobs.map((job) => job.payload.id).join(',');
    return { method: 'DELETE', url: `${path}?ids=${ids}&allOrNone=false` };
  }
  const upsert = payload?.operation === 'upsert' ? `/${payload.object}/${payload.externalIdField}` : '';
  return {
    method: payload?.operation === 'create' ? 'POST' : 'PATCH',
    url: `${path}${upsert}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ allOrNone: false, records: jobs.map(jsonRecord) }),
  };
}

/**
 * Salesforce answers in the order of the request, and says so; an entry has nothing but the record's id
 * to tell which one it is. So a list of another length, or an id that is not the job's, is no answer.
 */
function readResults(jobs: Jobs, answer: unknown): IdentifiedResult[] {
  if (!Array.isArray(answer) || answer.length !== jobs.length) {
    throw new LostCallError('The answer is no list with a result for each record', 'invalid_response');
  }
  return jobs.map((job, index) => {
    const entry = objectOf(answer[index]) ?? {};
    return { ...resultOfEntry(entry, job), jobId: job.id };
  });
}

function resultOfEntry(entry: Readonly<Record<string, unknown>>, job: Jobs[number]): JobResult {
  const id = textOf(entry['id']);
  const given = job.payload.id;
  // An id has 15 characters, or 18 with a checksum.
  if (id !== undefined && given !== undefined && id.slice(0, 15) !== given.slice(0, 15)) {
    return unknown('foreign_result', { message: 'Salesforce answered the result of another record' });
  }
  if (entry['success'] === true) {
    const { created } = entry;
    return succeeded(id ?? given, typeof created === 'boolean' ? { created } : undefined);
  }
  if (entry['success'] === false) return resultOfError(listOf(entry['errors'])[0], job);
  return unknown('missing_result', { message: 'Salesforce answered no result for this record' });
}
