import {
  type Call,
  forAll,
  type IdentifiedResult,
  type JobResult,
  LostCallError,
  pending,
  retry,
} from '@batchsender/core/plugin';
import type { Jobs } from '../deliver.ts';
import type { CrmPayload } from '../payload.ts';
import { toCsv } from './csv.ts';
import { judge } from './judge.ts';
import { resultOfError } from './record-errors.ts';
import { rowOf } from './rows.ts';
import type { Salesforce } from './transport.ts';

/** What a call notes: enough to find its bulk job, or to know that there is none. */
export type Note = { readonly bulkJob: string } | { readonly collections: true };

const OPERATIONS = { create: 'insert', update: 'update', upsert: 'upsert', delete: 'delete' } as const;

export type BulkJob = ReturnType<Salesforce['connection']['bulk2']['job']>;

/**
 * Gives many records to a bulk job and does not wait for it. Its id is noted before a record leaves,
 * so that whoever comes after a crash asks for this job and uploads nothing again.
 */
export async function startBulk(
  { connection, last }: Salesforce,
  jobs: Jobs,
  call: Call,
  { checkAfterMs, refused }: { checkAfterMs: number; refused: () => JobResult },
): Promise<IdentifiedResult[]> {
  const [first] = jobs;
  if (first === undefined) return [];
  const bulk = connection.bulk2.createJob(optionsFor(first.payload));
  const failed = (error: unknown) => resultsOf(judge(error, last(), jobs, refused), jobs);
  try {
    await bulk.open();
  } catch (error) {
    // A bulk job without data does nothing, whether it was made or not.
    return failed(error).map(harmless);
  }
  const { id } = bulk;
  if (typeof id !== 'string' || id === '')
    throw new LostCallError('The answer names no bulk job', 'invalid_response');
  await call.note({ bulkJob: id } satisfies Note);
  try {
    await bulk.uploadData(toCsv(jobs.map(({ payload }) => rowOf(payload))));
  } catch (error) {
    // What is not closed is never worked on.
    return failed(error).map(harmless);
  }
  // Whether a close arrived that was not answered is for `resolve` to find out.
  await bulk.close().catch(() => undefined);
  return forAll(jobs, pending(id, checkAfterMs));
}

function optionsFor({
  operation,
  object,
  externalIdField,
}: CrmPayload): Parameters<Salesforce['connection']['bulk2']['createJob']>[0] {
  return {
    operation: OPERATIONS[operation],
    object,
    lineEnding: 'LF',
    columnDelimiter: 'COMMA',
    ...(operation === 'upsert' && externalIdField !== undefined
      ? { externalIdFieldName: externalIdField }
      : {}),
  };
}

function resultsOf(ended: ReturnType<typeof judge>, jobs: Jobs): IdentifiedResult[] {
  if (ended.kind === 'records') return [...ended.results];
  if (ended.kind === 'all') return forAll(jobs, ended.result);
  return jobs.map((job) => ({ ...ended.failure(job), jobId: job.id }));
}

/** No record was written by it, so trying again makes no duplicate. */
function harmless(result: IdentifiedResult): IdentifiedResult {
  if (result.status !== 'retry') return result;
  const { possibleDuplicate: _possibleDuplicate, ...rest } = result;
  return rest;
}

/** What a bulk job is about that could not be worked on: `InvalidBatch : Field name not found : Nick__c`. */
export function resultOfFailedJob(errorMessage: string, job: Jobs[number]): JobResult {
  const column = /Field name not found\s*:\s*([A-Za-z0-9_.]+)/.exec(errorMessage)?.[1];
  if (column === undefined) {
    return retry('bulk_job_failed', { message: 'Salesforce gave the bulk job up before this record' });
  }
  if (rowOf(job.payload)[column] === undefined) {
    return retry('bulk_job_refused', {
      message: 'Another record of the bulk job has a field that does not exist',
    });
  }
  const message = `No such column '${column}' on ${job.payload.object}`;
  return resultOfError({ statusCode: 'INVALID_FIELD', message, fields: [column] }, job);
}
