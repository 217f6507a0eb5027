import { defineProvider, type Guarantee, type Resolution } from '@batchsender/core/plugin';
import { lost } from '../deliver.ts';
import { AT_MOST_ONCE, groupKey, guaranteeBy } from '../guarantee.ts';
import { CrmPayload } from '../payload.ts';
import { PipedriveError, pipedriveClient } from './client.ts';
import { PipedriveCredentials, ratesOf } from './credentials.ts';
import { whatBecameOf, write } from './write.ts';

/** Until a record that was just made is found by a search; Pipedrive names no time, users tell of seconds. */
const SEARCHABLE_MS = 60_000;

/**
 * An upsert is a search and a write, so a second one right after the first would make a second
 * record. After the time in which new records become searchable it does not.
 */
const UPSERT: Guarantee = { kind: 'reconcilable', settleMs: SEARCHABLE_MS };

const guaranteeOf = guaranteeBy(AT_MOST_ONCE);

/** Writes records one by one by Pipedrive's API v2, which takes no more. */
export const pipedrive = defineProvider({
  title: 'Pipedrive',
  payload: CrmPayload,
  credentials: PipedriveCredentials,
  guarantee: (credentials, payload) =>
    payload.operation === 'upsert' ? UPSERT : guaranteeOf(credentials, payload),
  concurrency: 10,
  timeoutMs: 30_000,
  rates: ratesOf,
  endpointKey: 'api',
  groupKey,
  open: (credentials, { fetch }) => ({
    process: (job, call) => write(pipedriveClient(credentials, fetch, call.signal), job, call),
    async resolve(jobs, { signal }) {
      const client = pipedriveClient(credentials, fetch, signal);
      const answers: Resolution[] = [];
      for (const job of jobs) answers.push(await whatBecameOf(client, job));
      return answers;
    },
    async health(signal) {
      try {
        await pipedriveClient(credentials, fetch, signal)({ method: 'GET', path: '/deals?limit=1' });
        return undefined;
      } catch (error) {
        if (!(error instanceof PipedriveError)) throw new Error(messageOf(error), { cause: error });
        const { status } = error.answer;
        if (status === 401) return { code: 'auth_failed', message: 'Pipedrive refused the API token' };
        return { code: `http_${status}`, message: error.message };
      }
    },
  }),
});

function messageOf(error: unknown): string {
  const { result } = lost(error);
  return (result.status === 'retry' ? result.message : undefined) ?? 'Pipedrive did not answer';
}
