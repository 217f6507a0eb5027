import { type IdentifiedResult, type Job, type JobResult, unknown } from '@batchsender/core/plugin';
import type { Jobs } from '../deliver.ts';
import type { CrmPayload } from '../payload.ts';
import { type Row, rowOf } from './rows.ts';

/** A row of a bulk job's results, and what it says. */
export interface ResultRow {
  readonly row: Row;
  readonly result: (job: Job<CrmPayload>) => JobResult;
}

const MISSING = unknown('missing_result', {
  message: 'The results of the bulk job have no row for this record',
});

/**
 * Finds the row of each job, since rows come back in any order: by the columns that were sent, which
 * each row repeats. Where they do not fit (a value was written in another way), by the record's id or
 * external id alone, if no other job has the same. Equal rows are interchangeable.
 */
export function matchRows(jobs: Jobs, rows: readonly ResultRow[]): IdentifiedResult[] {
  const found = new Map<string, JobResult>();
  const waiting = Map.groupBy(jobs, (job) => echoOf(rowOf(job.payload)));
  const rest: ResultRow[] = [];
  for (const entry of rows) {
    const job = waiting.get(echoOf(entry.row))?.shift();
    if (job === undefined) rest.push(entry);
    else found.set(job.id, entry.result(job));
  }
  const byKey = Map.groupBy([...waiting.values()].flat(), ({ payload }) => keyOf(payload, rowOf(payload)));
  for (const { row, result } of rest) {
    const [first] = jobs;
    const same = first === undefined ? undefined : byKey.get(keyOf(first.payload, row));
    const [job] = same ?? [];
    if (job === undefined || same?.length !== 1) continue;
    found.set(job.id, result(job));
    same.pop();
  }
  return jobs.map((job) => ({ ...(found.get(job.id) ?? MISSING), jobId: job.id }));
}

/** All that was sent in a row, without the columns that Salesforce adds. */
const echoOf = (row: Row): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([column, value]) => value !== '' && !column.startsWith('sf__'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

/** What names the record in a row; nothing does in an insert. */
function keyOf({ operation, externalIdField }: CrmPayload, row: Row): string {
  if (operation === 'create') return '';
  return (operation === 'upsert' ? row[externalIdField ?? ''] : row['Id']?.slice(0, 15)) ?? '';
}
