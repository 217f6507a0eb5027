import { blocked, failed, type JobResult, parseJson } from '@batchsender/core/plugin';
import { type Ended, type Jobs, lost } from '../deliver.ts';
import { listOf, objectOf, type TextAnswer, textOf } from '../http-text.ts';
import { patience, resultOfStatus } from '../refused-call.ts';
import { codeOf, messageOf } from '../vendor-text.ts';
import { resultOfError } from './record-errors.ts';

// Statuses and codes: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm and
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_calls_concepts_core_data_objects.htm

/** The limit counts the last 24 hours, so that every now and then a call is free again. */
const DAILY_PAUSE_MS = 900_000;
const CONCURRENT_PAUSE_MS = 10_000;

/** Codes that say that no record of this kind can be written, whatever is in it. */
const OF_OBJECT = new Set([
  'INVALID_TYPE',
  'NOT_FOUND',
  'OBJECT_NOT_FOUND',
  'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
]);

/** What Salesforce says in the body of an error: a list with one entry, mostly. */
export function errorOf({ text }: TextAnswer): { code: string; message: string } {
  const first = objectOf(listOf(parseJson(text))[0]);
  return { code: textOf(first?.['errorCode']) ?? '', message: textOf(first?.['message']) ?? '' };
}

/** How a request of a call ended that jsforce could not give a result for. `refused` tells what a refused token means. */
export function judge(
  error: unknown,
  answer: TextAnswer | undefined,
  jobs: Jobs,
  refused: () => JobResult,
): Ended {
  if (answer === undefined || answer.status < 400) return lost(error);
  const said = errorOf(answer);
  const result = judgeCall(answer, said, refused);
  if (result !== undefined) return { kind: 'all', result };
  const [first] = jobs;
  if (OF_OBJECT.has(said.code) && first !== undefined) {
    const message = messageOf(said.message, first.payload);
    return {
      kind: 'all',
      result: failed(codeOf(said.code, 'not_found'), message === undefined ? {} : { message }),
    };
  }
  const column = /No such column '([A-Za-z0-9_.]+)'/.exec(said.message)?.[1];
  return {
    kind: 'refused',
    failure: (job) =>
      resultOfError(
        { statusCode: said.code, message: said.message, fields: column === undefined ? [] : [column] },
        job,
      ),
    guilty: jobs.filter(
      ({ payload: { record = {} } }) => column !== undefined && Object.hasOwn(record, column),
    ),
  };
}

/** What an error status means for the whole call; undefined if it is about its records. */
export function judgeCall(
  answer: TextAnswer,
  { code, message }: { code: string; message: string },
  refused: () => JobResult,
): JobResult | undefined {
  const { status, headers } = answer;
  if (status === 401) return refused();
  if (code === 'REQUEST_LIMIT_EXCEEDED' || status === 429) {
    return /concurrent/i.test(message)
      ? patience(headers['retry-after'], CONCURRENT_PAUSE_MS, 'concurrent_limit')
      : patience(headers['retry-after'], DAILY_PAUSE_MS, 'daily_limit');
  }
  if (status === 403) {
    return blocked(codeOf(code, 'forbidden'), {
      message: 'Salesforce does not let this user write here: see the permissions of its profile',
    });
  }
  return [400, 404, 409, 413, 414].includes(status) ? undefined : resultOfStatus(answer);
}
