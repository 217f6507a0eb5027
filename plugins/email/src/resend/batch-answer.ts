import {
  failed,
  type IdentifiedResult,
  type Job,
  type JobResult,
  LostCallError,
  succeeded,
} from '@batchsender/core/plugin';
import type { EmailPayload } from '../payload.ts';
import { type Fields, isFields, textAt } from '../receipts/read.ts';

/**
 * Reads the answer to a batch in permissive mode: `data` has the ids of the emails that were taken,
 * in their order, and `errors` the positions of the others
 * (https://resend.com/docs/api-reference/emails/send-batch-emails).
 * @throws LostCallError if the lists do not fit the jobs: then nobody knows whose an id is.
 */
export function batchResults(jobs: readonly Job<EmailPayload>[], body: unknown): readonly IdentifiedResult[] {
  const fields = isFields(body) ? body : {};
  const ids = listAt(fields, 'data').map((one) => textAt(one, 'id'));
  const errors = new Map(listAt(fields, 'errors').map((one) => [one['index'], one]));
  if (ids.length + errors.size !== jobs.length || !positionsFit(errors, jobs.length)) throw misfit();
  let next = 0;
  return jobs.map(({ id: jobId }, index): IdentifiedResult => {
    const error = errors.get(index);
    if (error !== undefined) return { ...refused(error), jobId };
    const id = ids[next++];
    if (id === undefined) throw misfit();
    return { ...succeeded(id), jobId };
  });
}

/** Reads the answer to a single email. @throws LostCallError if it names none. */
export function singleResult(body: unknown): JobResult {
  const id = isFields(body) ? textAt(body, 'id') : undefined;
  if (id === undefined) throw misfit();
  return succeeded(id);
}

function listAt(fields: Fields, name: string): Fields[] {
  const list = fields[name];
  return Array.isArray(list) ? list.map((one: unknown) => (isFields(one) ? one : {})) : [];
}

const positionsFit = (errors: ReadonlyMap<unknown, Fields>, count: number): boolean =>
  [...errors.keys()].every((at) => Number.isInteger(at) && Number(at) >= 0 && Number(at) < count);

const misfit = () => new LostCallError('The answer is not one of Resend', 'invalid_response');

/** Fields that Resend names in its messages, such as "The `to` field is missing." */
const FIELD = /`(from|to|cc|bcc|reply_to|subject|html|text|headers|tags)(?:\.[a-z]+)?`/;

/** The message itself is not kept: it may quote an address. */
function refused(error: Fields): JobResult {
  const field = FIELD.exec(textAt(error, 'message') ?? '')?.[1];
  return failed('validation_error', {
    message: 'Resend refused the email',
    ...(field === undefined ? {} : { data: { field } }),
  });
}
