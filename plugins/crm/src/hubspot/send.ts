import { failed, type IdentifiedResult, LostCallError, succeeded } from '@batchsender/core/plugin';
import type { BatchApi } from '@hubspot/api-client/lib/codegen/crm/objects/index.js';
import { type Ended, type Jobs, lost } from '../deliver.ts';
import { objectOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { refusalIn } from './client.ts';
import { guiltyOf, resultOfError } from './errors.ts';
import { type Input, keyOf, propertiesOf } from './inputs.ts';
import { errorOf, judgeCall } from './judge.ts';
import { matchResults } from './match.ts';

/** Makes one request for jobs that do the same to the same kind of record. */
export async function sendBatch(api: BatchApi, jobs: Jobs): Promise<Ended> {
  const { inputs, failures } = prepare(jobs);
  const [first] = inputs;
  if (first === undefined) return { kind: 'records', results: failures };
  try {
    const body = await write(api, first.job.payload, inputs);
    const results = body === 'archived' ? archived(inputs) : matchResults(inputs, body);
    return { kind: 'records', results: [...results, ...failures] };
  } catch (error) {
    const refusal = refusalIn(error);
    // The client throws plain errors for what it cannot read, such as a page of HTML.
    if (refusal === undefined) return lost(isPlain(error) ? nonsense(error) : error);
    const result = judgeCall(refusal);
    if (result !== undefined) return { kind: 'all', result };
    const said = errorOf(refusal);
    const guilty = [
      ...guiltyOf(said, jobs),
      ...jobs.filter(({ id }) => failures.some(({ jobId }) => jobId === id)),
    ];
    return {
      kind: 'refused',
      failure: (job) => ownFailure(failures, job.id) ?? resultOfError(said, job),
      guilty,
    };
  }
}

const ownFailure = (failures: readonly IdentifiedResult[], id: string) =>
  failures.find(({ jobId }) => jobId === id);

/** Records that HubSpot could not be given fail without a request. */
function prepare(jobs: Jobs): { inputs: Input[]; failures: IdentifiedResult[] } {
  const inputs: Input[] = [];
  const failures: IdentifiedResult[] = [];
  for (const job of jobs) {
    const properties = propertiesOf(job.payload);
    if (job.payload.operation === 'delete' && job.payload.id === undefined) {
      const message = 'HubSpot deletes by its own id: give id in place of externalIdField';
      failures.push({ ...failed('id_required', { message }), jobId: job.id });
    } else if (typeof properties === 'string') {
      const message = 'A property of HubSpot is a text, a number, true or false, or a list of them';
      failures.push({ ...failed('invalid_value', { message, data: { field: properties } }), jobId: job.id });
    } else inputs.push({ job, properties });
  }
  return { inputs, failures };
}

/** The request itself; answers the body, which the client has checked for being JSON. */
async function write(
  api: BatchApi,
  { operation, object }: CrmPayload,
  inputs: readonly Input[],
): Promise<Readonly<Record<string, unknown>> | 'archived'> {
  const existing = () =>
    inputs.map(({ job, properties }) => ({ ...keyOf(job.payload), properties, objectWriteTraceId: job.id }));
  switch (operation) {
    case 'create': {
      const made = inputs.map(({ job, properties }) => ({ properties, objectWriteTraceId: job.id }));
      return answered(await api.create(object, { inputs: made }));
    }
    case 'update':
      return answered(await api.update(object, { inputs: existing() }));
    case 'upsert':
      return answered(await api.upsert(object, { inputs: existing() }));
    case 'delete':
      await api.archive(object, { inputs: inputs.map(({ job }) => ({ id: keyOf(job.payload).id })) });
      return 'archived';
  }
}

function answered(value: unknown): Readonly<Record<string, unknown>> {
  const body = objectOf(value);
  if (body === undefined || !Array.isArray(body['results'])) throw nonsense(undefined);
  return body;
}

/** HubSpot answers an archive by a bare 204: all of them are gone, whether they were there or not. */
const archived = (inputs: readonly Input[]): IdentifiedResult[] =>
  inputs.map(({ job }) => ({ ...succeeded(job.payload.id), jobId: job.id }));

const nonsense = (cause: unknown): LostCallError =>
  new LostCallError('The answer is not one of HubSpot', 'invalid_response', { cause });

/** True for errors without a code, which no network error is. */
const isPlain = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof Error && error.name === 'Error' && error.cause === undefined);
