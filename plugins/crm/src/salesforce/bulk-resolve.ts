import {
  forAll,
  type IdentifiedResult,
  type JobResult,
  LostCallError,
  pending,
  type Resolution,
  retry,
  succeeded,
  type UnresolvedJob,
} from '@batchsender/core/plugin';
import { lost } from '../deliver.ts';
import { objectOf, textOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { type BulkJob, type Note, resultOfFailedJob } from './bulk-start.ts';
import { parseCsv } from './csv.ts';
import { errorOf, judgeCall } from './judge.ts';
import { matchRows, type ResultRow } from './match-rows.ts';
import { parseBulkError, resultOfError } from './record-errors.ts';
import type { Row } from './rows.ts';
import type { Salesforce } from './transport.ts';

export type Unresolved = readonly UnresolvedJob<CrmPayload>[];
type Resolutions = readonly IdentifiedResult<Resolution>[];

/** A bulk job of 10,000 records takes minutes; one that waits in a queue may take hours. */
const LAST_CHECK_MS = 60_000;

interface Asking {
  readonly checkAfterMs: number;
  readonly refused: () => JobResult;
}

/** The bulk job that a job is in; `none` if its call never had one, `collection` if it went by sObject Collections. */
function bulkJobOf({ ref, note }: UnresolvedJob<CrmPayload>): string | 'none' | 'collection' {
  if (ref !== undefined) return ref;
  const noted = note as Note | undefined;
  if (noted === undefined) return 'none';
  return 'bulkJob' in noted ? noted.bulkJob : 'collection';
}

/** What became of jobs whose calls left no result, or are in bulk jobs. */
export async function resolveAll(
  salesforce: Salesforce,
  jobs: Unresolved,
  asking: Asking,
): Promise<Resolutions> {
  const found: IdentifiedResult<Resolution>[] = [];
  for (const [bulkJob, members] of Map.groupBy(jobs, bulkJobOf)) {
    if (bulkJob === 'none') {
      // The id is noted before a record leaves: nothing was sent.
      found.push(
        ...forAll(members, retry('not_sent', { message: 'The process ended before the records left' })),
      );
    } else if (bulkJob === 'collection') {
      found.push(...members.map(({ id }) => ({ status: 'undecided' as const, jobId: id })));
    } else found.push(...(await resolveBulk(salesforce, bulkJob, members, asking)));
  }
  return found;
}

async function resolveBulk(
  salesforce: Salesforce,
  bulkJobId: string,
  jobs: Unresolved,
  { checkAfterMs, refused }: Asking,
): Promise<Resolutions> {
  const bulk = salesforce.connection.bulk2.job('ingest', { id: bulkJobId });
  const later = pending(bulkJobId, nextCheckMs(jobs, checkAfterMs));
  try {
    const info = objectOf(await bulk.check());
    switch (info?.['state']) {
      case 'Open':
        // It never got its end, so nothing of it was worked on. Once it is aborted nobody can close it.
        await bulk.abort();
        return forAll(
          jobs,
          retry('bulk_job_abandoned', { message: 'The upload was not finished, and was aborted' }),
        );
      case 'UploadComplete':
      case 'InProgress':
        return forAll(jobs, later);
      case 'JobComplete':
        return matchRows(jobs, await resultRows(bulk));
      case 'Failed':
      case 'Aborted':
        return await unfinished(bulk, jobs, info);
      default:
        throw new LostCallError('The answer tells no state of the bulk job', 'invalid_response');
    }
  } catch (error) {
    return unanswered(salesforce, error, jobs, { later, refused });
  }
}

/** The question failed, not the job. */
function unanswered(
  { last }: Salesforce,
  error: unknown,
  jobs: Unresolved,
  { later, refused }: { later: JobResult; refused: () => JobResult },
): Resolutions {
  const answer = last();
  // Salesforce forgets bulk jobs after seven days.
  if (answer?.status === 404) return jobs.map(({ id }) => ({ status: 'undecided', jobId: id }));
  const result =
    answer === undefined || answer.status < 400
      ? lost(error).result
      : judgeCall(answer, errorOf(answer), refused);
  const waits = result?.status === 'blocked' || result?.status === 'throttled';
  return forAll(jobs, waits ? result : later);
}

/** At first soon, then less and less often. */
const nextCheckMs = (jobs: Unresolved, firstMs: number): number => {
  const ageMs = jobs.reduce((oldest, job) => Math.max(oldest, job.ageMs), 0);
  return Math.max(firstMs, Math.min(LAST_CHECK_MS, ageMs / 4));
};

async function resultRows(bulk: BulkJob): Promise<ResultRow[]> {
  const [taken, refused] = [
    await rowsOf(bulk.getSuccessfulResults(true)),
    await rowsOf(bulk.getFailedResults(true)),
  ];
  return [
    ...taken.map((row): ResultRow => {
      const created = row['sf__Created'];
      const data = created === undefined ? undefined : { created: created === 'true' };
      return {
        row,
        result: ({ payload }) => succeeded(row['sf__Id'], payload.operation === 'upsert' ? data : undefined),
      };
    }),
    ...refused.map((row): ResultRow => {
      const error = parseBulkError(row['sf__Error'] ?? '');
      return { row, result: (job) => resultOfError(error, job) };
    }),
  ];
}

/** A bulk job that ended early: what was worked on counts, and what was not is tried again. */
async function unfinished(
  bulk: BulkJob,
  jobs: Unresolved,
  info: Readonly<Record<string, unknown>>,
): Promise<Resolutions> {
  const errorMessage = textOf(info['errorMessage']) ?? '';
  const untried = (job: UnresolvedJob<CrmPayload>) => resultOfFailedJob(errorMessage, job);
  // One that was aborted before it was closed has no results to ask for.
  if (info['numberRecordsProcessed'] === 0) return jobs.map((job) => ({ ...untried(job), jobId: job.id }));
  const rows = (await rowsOf(bulk.getUnprocessedRecords(true))).map(
    (row): ResultRow => ({ row, result: (job) => resultOfFailedJob(errorMessage, job) }),
  );
  return matchRows(jobs, [...(await resultRows(bulk)), ...rows]);
}

/** Without results the answer is empty. */
async function rowsOf(answer: Promise<unknown>): Promise<Row[]> {
  const text = (await answer) ?? '';
  if (typeof text !== 'string' || text.startsWith('<')) {
    throw new LostCallError('The results are no CSV', 'invalid_response');
  }
  return parseCsv(text.trim() === '' ? '' : text);
}
