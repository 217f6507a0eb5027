import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { Mood, VendorAnswer, VendorRequest } from './http-vendor.ts';
import { type Done, error, isUnknown, type RecordError, refusal, type Write } from './salesforce-wire.ts';

type Row = Record<string, string>;
type Known = ReadonlySet<string> | undefined;

export interface BulkJob {
  readonly id: string;
  readonly operation: Write['operation'];
  readonly object: string;
  readonly key: string | undefined;
  state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
  csv: string | undefined;
  errorMessage: string | undefined;
  /** How often it is still `InProgress` when somebody asks. */
  checks: number;
  readonly taken: Row[];
  readonly refused: Row[];
  readonly unprocessed: Row[];
}

/** Bulk API 2.0: jobs that are worked on some questions after they were closed. */
export class SalesforceBulk {
  readonly jobs = new Map<string, BulkJob>();
  /** Questions after which a job is complete. */
  checks = 1;
  /** Jobs stay in progress while it is true. */
  held = false;
  /** Ends a job early, after so many records. */
  stopAfter: { readonly records: number; readonly state: 'Failed' | 'Aborted' } | undefined;
  /** How values come back in the results. */
  echo: (row: Row) => Row = (row) => row;
  readonly #apply: (write: Write & { via: 'bulk' }) => Done;

  constructor(apply: (write: Write & { via: 'bulk' }) => Done) {
    this.#apply = apply;
  }

  answer(request: VendorRequest, path: string, mood: Mood, known: Known): VendorAnswer {
    if (path === '/jobs/ingest') return this.#create(request);
    const [, id = '', part = ''] = /^\/jobs\/ingest\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const job = this.jobs.get(id);
    if (job === undefined) return error(404, 'NOT_FOUND', 'The requested resource does not exist');
    if (request.method === 'PUT') return upload(job, request.text);
    if (request.method === 'PATCH') return this.#change(job, request);
    if (part === '') return this.#check(job, mood, known);
    if (job.taken.length + job.refused.length + job.unprocessed.length === 0) {
      return error(400, 'INVALIDJOBSTATE', 'The job has no results');
    }
    const rows = {
      successfulResults: job.taken,
      failedResults: job.refused,
      unprocessedrecords: job.unprocessed,
    };
    const found = rows[part as keyof typeof rows] ?? [];
    // Results come in any order.
    const text = found.length === 0 ? '' : stringify(found.toReversed(), { header: true, quoted: true });
    return { status: 200, body: text, headers: { 'content-type': 'text/csv' } };
  }

  #create({ json }: VendorRequest): VendorAnswer {
    const { operation, object, externalIdFieldName } = json as Record<string, string>;
    if (object === 'Nothing__c')
      return error(400, 'INVALIDJOB', 'InvalidJob : Unable to find object: Nothing__c');
    const job: BulkJob = {
      id: `750${String(this.jobs.size).padStart(12, '0')}AAA`,
      operation: operation as Write['operation'],
      object: object ?? '',
      key: externalIdFieldName,
      state: 'Open',
      csv: undefined,
      errorMessage: undefined,
      checks: this.checks,
      taken: [],
      refused: [],
      unprocessed: [],
    };
    this.jobs.set(job.id, job);
    return { status: 200, body: info(job) };
  }

  #change(job: BulkJob, { json }: VendorRequest): VendorAnswer {
    const { state } = json as { state: 'UploadComplete' | 'Aborted' };
    if (job.state !== 'Open') return error(400, 'INVALIDJOBSTATE', 'Job state is not allowed');
    job.state = state;
    return { status: 200, body: info(job) };
  }

  #check(job: BulkJob, mood: Mood, known: Known): VendorAnswer {
    if (job.state === 'UploadComplete' || job.state === 'InProgress') {
      job.state = 'InProgress';
      if (!this.held && job.checks-- <= 0) this.#work(job, mood, known);
    }
    return { status: 200, body: info(job) };
  }

  #work(job: BulkJob, mood: Mood, known: Known): void {
    const rows: Row[] = parse(job.csv ?? '', { columns: true });
    const strange = Object.keys(rows[0] ?? {}).find((name) => isUnknown(known, name));
    job.state = 'JobComplete';
    if (strange !== undefined) {
      job.state = 'Failed';
      job.errorMessage = `InvalidBatch : Field name not found : ${strange}`;
      job.unprocessed.push(...rows);
      return;
    }
    const end = this.stopAfter?.records ?? rows.length;
    if (this.stopAfter !== undefined) job.state = this.stopAfter.state;
    job.unprocessed.push(...rows.slice(end));
    for (const row of rows.slice(0, end)) this.#write(job, row, mood);
  }

  #write(job: BulkJob, row: Row, mood: Mood): void {
    const { operation, object, key } = job;
    const fields = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''));
    const done =
      mood === 'refuse' ? refusal(fields) : this.#apply({ operation, object, key, fields, via: 'bulk' });
    const echo = this.echo(row);
    if ('statusCode' in done) job.refused.push({ sf__Id: '', sf__Error: bulkError(done), ...echo });
    else job.taken.push({ sf__Id: done.id, sf__Created: String(done.created), ...echo });
  }
}

const bulkError = ({ statusCode, message, fields }: RecordError) =>
  `${statusCode}:${message}:${fields.join(', ')} --`;

function upload(job: BulkJob, text: string): VendorAnswer {
  if (job.state !== 'Open' || job.csv !== undefined) {
    return error(400, 'INVALIDJOBSTATE', `Found multiple contents for job: <${job.id}>`);
  }
  job.csv = text;
  return { status: 201 };
}

const info = ({ id, operation, object, state, errorMessage, taken, refused }: BulkJob) => ({
  id,
  operation,
  object,
  state,
  createdDate: '2026-11-29T10:00:00.000+0000',
  concurrencyMode: 'Parallel',
  contentType: 'CSV',
  apiVersion: 62,
  jobType: 'V2Ingest',
  lineEnding: 'LF',
  columnDelimiter: 'COMMA',
  numberRecordsProcessed: taken.length + refused.length,
  numberRecordsFailed: refused.length,
  ...(errorMessage === undefined ? {} : { errorMessage }),
});
