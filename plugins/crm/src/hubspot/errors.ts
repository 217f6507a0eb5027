import { failed, type Job, type JobResult, parseJson, retry, succeeded } from '@batchsender/core/plugin';
import { listOf, objectOf, textOf } from '../http-text.ts';
import type { CrmPayload } from '../payload.ts';
import { type Refusal, refusalOf } from '../vendor-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** HubSpot's own troubles, in a category of an error (https://developers.hubspot.com/docs/api-reference/error-handling). */
const TRANSIENT = new Set(['INTERNAL_ERROR', 'SERVER_ERROR', 'RATE_LIMITS', 'LOCKED']);

/** What HubSpot says of a record that it refused: the most exact part of it. */
function refusalIn(error: Fields): Refusal {
  const message = textOf(error['message']);
  const [property] = propertiesIn(message);
  const [inner] = listOf(error['errors']).map(objectOf);
  return {
    code:
      textOf(property?.['error']) ??
      textOf(inner?.['code']) ??
      textOf(error['subCategory']) ??
      textOf(error['category']),
    message: textOf(property?.['message']) ?? textOf(inner?.['message']) ?? message,
    field: textOf(property?.['name']) ?? nameIn(inner),
  };
}

/** What became of a record of which HubSpot says an error. */
export function resultOfError(error: Fields, job: Job<CrmPayload>): JobResult {
  const category = textOf(error['category']) ?? '';
  const { code, extra } = refusalOf(refusalIn(error), job.payload, 'record_refused');
  if (TRANSIENT.has(category)) return retry(code, extra);
  if (category === 'OBJECT_NOT_FOUND' && job.payload.operation === 'delete') {
    return succeeded(job.payload.id, { alreadyGone: true });
  }
  return failed(code, extra);
}

/** Jobs that carry a property which HubSpot does not have: each of them is refused, whatever else it holds. */
export function guiltyOf(error: Fields, jobs: readonly Job<CrmPayload>[]): readonly Job<CrmPayload>[] {
  const unknown = propertiesIn(textOf(error['message']))
    .filter((property) => property['error'] === 'PROPERTY_DOESNT_EXIST')
    .map((property) => property['name']);
  return jobs.filter(({ payload: { record } }) =>
    unknown.some((name) => typeof name === 'string' && record !== undefined && Object.hasOwn(record, name)),
  );
}

/** The list that HubSpot appends to "Property values were not valid: ". */
function propertiesIn(message: string | undefined): readonly Fields[] {
  const at = message?.indexOf('[') ?? -1;
  if (message === undefined || at < 0) return [];
  return listOf(parseJson(message.slice(at)))
    .map(objectOf)
    .filter((item) => item !== undefined);
}

function nameIn(error: Fields | undefined): string | undefined {
  const context = objectOf(error?.['context']);
  const [name] = listOf(context?.['propertyName']);
  return textOf(name) ?? textOf(error?.['in']);
}
