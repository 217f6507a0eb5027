import {
  type IdentifiedResult,
  type Job,
  type JobResult,
  succeeded,
  unknown,
} from '@batchsender/core/plugin';
import { listOf, objectOf, textOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { resultOfError } from './errors.ts';
import { type Input, keyOf } from './inputs.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Finds the result of each job: by the trace id that we gave the record (the job's id), else by what
 * names it, else by its properties. Never by position. A job that no result fits is `unknown`.
 */
export function matchResults(inputs: readonly Input[], body: Fields): IdentifiedResult[] {
  const open = new Map(inputs.map((input) => [input.job.id, input]));
  const found = new Map<string, JobResult>();
  const settle = (input: Input | undefined, result: (job: Job<CrmPayload>) => JobResult) => {
    if (input === undefined || !open.delete(input.job.id)) return;
    found.set(input.job.id, result(input.job));
  };
  const byName = named(inputs);
  for (const error of listOf(body['errors']).map(objectOf)) {
    if (error === undefined) continue;
    for (const name of namesIn(error)) {
      settle(open.get(name) ?? byName.get(name.toLowerCase()), (job) => resultOfError(error, job));
    }
  }
  for (const record of listOf(body['results']).map(objectOf)) {
    if (record === undefined) continue;
    settle(inputOf(record, open, byName), () => success(record));
  }
  return inputs.map(({ job }) => ({ ...(found.get(job.id) ?? MISSING), jobId: job.id }));
}

const MISSING = unknown('missing_result', { message: 'HubSpot answered no result for this record' });

/** Inputs by what HubSpot calls their record, where it is a name of one. HubSpot writes addresses in lower case. */
function named(inputs: readonly Input[]): ReadonlyMap<string, Input> {
  const byName = new Map<string, Input>();
  const twice = new Set<string>();
  for (const input of inputs) {
    const name = keyOf(input.job.payload).id.toLowerCase();
    if (byName.has(name)) twice.add(name);
    byName.set(name, input);
  }
  for (const name of ['', ...twice]) byName.delete(name);
  return byName;
}

function inputOf(
  record: Fields,
  open: ReadonlyMap<string, Input>,
  byName: ReadonlyMap<string, Input>,
): Input | undefined {
  const traced = open.get(textOf(record['objectWriteTraceId']) ?? '');
  if (traced !== undefined) return traced;
  const properties = objectOf(record['properties']) ?? {};
  const [first] = open.values();
  if (first === undefined) return undefined;
  const { operation, externalIdField } = first.job.payload;
  if (operation === 'create') return [...open.values()].find((input) => isEcho(properties, input));
  const name = externalIdField === undefined ? record['id'] : properties[externalIdField];
  return typeof name === 'string' ? byName.get(name.toLowerCase()) : undefined;
}

/** Records that were created from equal properties cannot be told apart, and need not be. */
const isEcho = (properties: Fields, input: Input): boolean =>
  Object.entries(input.properties).every(
    ([name, value]) => String(properties[name] ?? '').toLowerCase() === value.toLowerCase(),
  );

function success(record: Fields): JobResult {
  const created = record['_new'] ?? record['new'];
  return succeeded(textOf(record['id']), typeof created === 'boolean' ? { created } : undefined);
}

/** Which records an error is about. */
function namesIn(error: Fields): readonly string[] {
  const context = objectOf(error['context']) ?? {};
  const names = [error['objectWriteTraceId'], context['objectWriteTraceId'], context['ids'], context['id']];
  return names.flat().filter((name): name is string => typeof name === 'string');
}
