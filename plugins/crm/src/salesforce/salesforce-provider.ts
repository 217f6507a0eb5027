import {
  type Call,
  defineProvider,
  forAll,
  type IdentifiedResult,
  type JobResult,
  type OpenContext,
  type Provider,
  type Resolution,
} from '@batchsender/core/plugin';
import { deliver, type Jobs } from '../deliver.ts';
import { groupKey, guaranteeBy } from '../guarantee.ts';
import { CrmPayload } from '../payload.ts';
import { type Access, type AccessSource, accessSource } from './access.ts';
import { resolveAll, type Unresolved } from './bulk-resolve.ts';
import { type Note, startBulk } from './bulk-start.ts';
import { COLLECTION_SIZE, sendCollection } from './collections.ts';
import { SalesforceCredentials, salesforceOAuth, versionOf } from './credentials.ts';
import { health } from './health.ts';
import { refusalOfJob } from './rows.ts';
import type { connect as Connect, Salesforce } from './transport.ts';

/** How large the calls of the provider `salesforce` get, and which API they take. */
export interface SalesforceOptions {
  /** Most records in one call, and so in one bulk job. Default 10,000, one batch of the Bulk API. */
  readonly batchSize?: number;
  /** Records from which a call uses the Bulk API. Default 2,001. */
  readonly bulkFrom?: number;
  /** Until a bulk job is asked about for the first time, in milliseconds. Default 10,000. */
  readonly checkAfterMs?: number;
}

/**
 * What Salesforce recommends, more than 2,000 records (https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/asynch_api_intro.htm);
 * up to there sObject Collections need ten requests at most, as many as a bulk job takes.
 */
const BULK_FROM = 2_001;

/** Nobody else is asked, so the time to settle only delays the question about a call that was lost. */
const SETTLE_MS = 1_000;

/** Writes records to Salesforce: small groups by sObject Collections, large ones by Bulk API 2.0. */
export function salesforceProvider({
  batchSize = 10_000,
  bulkFrom = BULK_FROM,
  checkAfterMs = 10_000,
}: SalesforceOptions = {}): Provider<CrmPayload, SalesforceCredentials> {
  return defineProvider({
    title: 'Salesforce',
    payload: CrmPayload,
    credentials: SalesforceCredentials,
    oauth: salesforceOAuth,
    guarantee: guaranteeBy({ kind: 'reconcilable', settleMs: SETTLE_MS }),
    batchSize,
    concurrency: 5,
    timeoutMs: 180_000,
    endpointKey: 'api',
    groupKey,
    async open(credentials, context) {
      const access = accessSource(credentials, context.fetch);
      const parts: Parts = {
        access,
        context,
        // jsforce takes memory and time: only for those who use it.
        connect: (await import('./transport.ts')).connect,
        version: versionOf(credentials),
        bulkFrom,
        checkAfterMs,
      };
      return {
        processBatch: (jobs, call) => processBatch(parts, jobs, call),
        resolve: (jobs, call) => resolve(parts, jobs, call),
        health: (signal) =>
          letIn(parts, signal, reasonOf, (salesforce, refused) =>
            health(salesforce, refused, context.logger),
          ),
      };
    },
  });
}

interface Parts {
  readonly access: AccessSource;
  readonly context: OpenContext;
  readonly connect: typeof Connect;
  readonly version: string;
  readonly bulkFrom: number;
  readonly checkAfterMs: number;
}

async function processBatch(parts: Parts, jobs: Jobs, call: Call): Promise<readonly IdentifiedResult[]> {
  const failures = jobs.flatMap((job) => {
    const result = refusalOfJob(job.payload);
    return result === undefined ? [] : forAll([job], result);
  });
  const failedIds = new Set(failures.map(({ jobId }) => jobId));
  const fit = jobs.filter(({ id }) => !failedIds.has(id));
  if (fit.length === 0) return failures;
  const results = await letIn(parts, call.signal, forJobs(fit), (salesforce, refused) =>
    fit.length >= parts.bulkFrom
      ? startBulk(salesforce, fit, call, { checkAfterMs: parts.checkAfterMs, refused })
      : writeNow(salesforce, fit, call, refused),
  );
  return [...failures, ...results];
}

async function writeNow(
  salesforce: Salesforce,
  jobs: Jobs,
  call: Call,
  refused: () => JobResult,
): Promise<IdentifiedResult[]> {
  // A create whose answer is lost must not be taken for one that never left.
  if (jobs[0]?.payload.operation === 'create') await call.note({ collections: true } satisfies Note);
  const groups = Array.from({ length: Math.ceil(jobs.length / COLLECTION_SIZE) }, (_none, index) =>
    jobs.slice(index * COLLECTION_SIZE, (index + 1) * COLLECTION_SIZE),
  );
  return deliver(groups, (some) => sendCollection(salesforce, some, refused));
}

async function resolve(
  parts: Parts,
  jobs: Unresolved,
  call: Call,
): Promise<readonly IdentifiedResult<Resolution>[]> {
  const { checkAfterMs } = parts;
  return letIn<readonly IdentifiedResult<Resolution>[]>(
    parts,
    call.signal,
    forJobs(jobs),
    (salesforce, refused) => resolveAll(salesforce, jobs, { checkAfterMs, refused }),
  );
}

/** Works with a connection; `otherwise` turns the reason why there is none into an answer. */
async function letIn<T>(
  { access, context, connect, version }: Parts,
  signal: AbortSignal,
  otherwise: (result: JobResult) => T,
  work: (salesforce: Salesforce, refused: () => JobResult) => Promise<T>,
): Promise<T> {
  const given: Access | JobResult = await access.get(signal);
  if ('status' in given) return otherwise(given);
  const salesforce = connect(given, { version, fetch: context.fetch, signal });
  return work(salesforce, () => access.refused(given));
}

const forJobs =
  (jobs: Jobs) =>
  (result: JobResult): IdentifiedResult[] =>
    forAll(jobs, result);

const reasonOf = (result: JobResult): { code: string; message: string } | undefined => {
  const { code = result.status, message = code } = result as { code?: string; message?: string };
  return { code, message };
};
