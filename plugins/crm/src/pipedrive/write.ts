import {
  type Call,
  failed,
  type Job,
  type JobResult,
  LostCallError,
  type Resolution,
  retry,
  succeeded,
  type UnresolvedJob,
} from '@batchsender/core/plugin';
import { listOf, objectOf } from '../http-text.ts';
import { type CrmPayload, externalIdOf } from '../payload.ts';
import type { Pipedrive } from './client.ts';
import { resultOfError, searchFailed } from './judge.ts';
import { bodyOf, entityOf, isObject, OBJECTS } from './objects.ts';

/** Noted before an upsert makes a record: without it nothing was sent that may not be sent again. */
const CREATING = { creating: true };

/** Writes one record; an external id is searched for first. */
export async function write(
  pipedrive: Pipedrive,
  job: Job<CrmPayload>,
  { note }: Pick<Call, 'note'>,
): Promise<JobResult> {
  const { object, operation, id } = job.payload;
  if (!isObject(object)) {
    return failed('object_not_supported', { message: `Pipedrive has ${OBJECTS}: use one of them` });
  }
  if (operation === 'create') return send(pipedrive, job, undefined);
  if (id !== undefined) return send(pipedrive, job, id);
  const found = await find(pipedrive, job);
  if (typeof found === 'object') return found;
  if (found !== undefined) return send(pipedrive, job, found);
  if (operation === 'upsert') {
    await note(CREATING);
    return send(pipedrive, job, undefined);
  }
  if (operation === 'delete') return succeeded(undefined, { alreadyGone: true });
  return failed('not_found', { message: 'Pipedrive has no record with this external id' });
}

/** Whether an upsert whose call was lost made its record. */
export async function whatBecameOf(
  pipedrive: Pipedrive,
  job: UnresolvedJob<CrmPayload>,
): Promise<Resolution> {
  if (job.note === undefined)
    return retry('not_sent', { message: 'The process ended before a record was made' });
  const found = await find(pipedrive, job);
  if (found === undefined) return { status: 'absent' };
  if (typeof found === 'string') return succeeded(found, { created: true });
  // The search itself failed: it is made again.
  if (found.status === 'retry') throw new LostCallError(found.message ?? 'The search was lost', found.code);
  return found;
}

/** The id of the record with the job's external id; undefined if there is none; a result if it cannot be told. */
async function find(pipedrive: Pipedrive, job: Job<CrmPayload>): Promise<string | JobResult | undefined> {
  const { object, externalIdField = '' } = job.payload;
  const entity = entityOf(object);
  if (entity === undefined) {
    const message = `Pipedrive cannot search ${object}: give id`;
    return failed('id_required', { message });
  }
  const query = new URLSearchParams({
    term: externalIdOf(job.payload) ?? '',
    entity_type: entity,
    field: externalIdField,
    match: 'exact',
  });
  try {
    const data = await pipedrive({ method: 'GET', path: `/itemSearch/field?${query}` });
    if (!Array.isArray(data)) throw new LostCallError('The answer is no list of records', 'invalid_response');
    const ids = new Set(listOf(data).map((item) => idOf(item)));
    const [first, second] = ids;
    if (second === undefined) return first;
    return failed('ambiguous_external_id', {
      message: 'Several records have this external id: remove all but one',
      data: { field: externalIdField },
    });
  } catch (error) {
    return searchFailed(error, job);
  }
}

async function send(pipedrive: Pipedrive, job: Job<CrmPayload>, id: string | undefined): Promise<JobResult> {
  const { object, operation } = job.payload;
  const path = id === undefined ? `/${object}` : `/${object}/${id}`;
  try {
    if (operation === 'delete') {
      await pipedrive({ method: 'DELETE', path });
      return succeeded(id);
    }
    const body = bodyOf(job.payload);
    const data = await pipedrive({ method: id === undefined ? 'POST' : 'PATCH', path, body });
    return succeeded(idOf(data), operation === 'upsert' ? { created: id === undefined } : undefined);
  } catch (error) {
    return resultOfError(error, job);
  }
}

function idOf(data: unknown): string {
  const id = objectOf(data)?.['id'];
  if (typeof id === 'number' || typeof id === 'string') return String(id);
  throw new LostCallError('The answer names no record', 'invalid_response');
}
