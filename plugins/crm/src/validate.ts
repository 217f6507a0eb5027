import type { PayloadProblem } from '@batchsender/core/plugin';
import { type CrmPayload, externalIdOf, recordOf } from './payload.ts';
import { recordProblems } from './record-rules.ts';

/** What the schema cannot say about a payload. Answers every problem, with its place and the remedy. */
export function validate(payload: CrmPayload): readonly PayloadProblem[] {
  return [...whichProblems(payload), ...contentProblems(payload), ...recordProblems(recordOf(payload))];
}

/** Which record is meant must be clear, and said once. */
function* whichProblems(payload: CrmPayload): Generator<PayloadProblem> {
  switch (payload.operation) {
    case 'create':
      yield* createProblems(payload);
      return;
    case 'upsert':
      if (payload.id !== undefined) {
        yield problem(
          '/id',
          'id_not_allowed',
          'an upsert finds its record by externalIdField: remove id, or use update',
        );
      }
      if (payload.externalIdField === undefined) {
        yield problem(
          '/externalIdField',
          'external_id_field_required',
          'an upsert needs the name of a field whose value is unique',
        );
      } else yield* valueProblems(payload);
      return;
    case 'update':
    case 'delete':
      yield* existingProblems(payload);
  }
}

function* createProblems({ id, externalIdField }: CrmPayload): Generator<PayloadProblem> {
  const remedy = 'a create makes a new record: remove it, or use upsert';
  if (id !== undefined) yield problem('/id', 'id_not_allowed', remedy);
  if (externalIdField !== undefined) yield problem('/externalIdField', 'external_id_not_allowed', remedy);
}

function* existingProblems(payload: CrmPayload): Generator<PayloadProblem> {
  const { operation, id, externalIdField } = payload;
  if (id === undefined && externalIdField === undefined) {
    yield problem('/id', 'id_required', `${operation} needs id, or externalIdField and its value in record`);
  } else if (id !== undefined && externalIdField !== undefined) {
    yield problem(
      '/id',
      'two_ids',
      'id and externalIdField both say which record is meant: remove one of them',
    );
  } else if (externalIdField !== undefined) yield* valueProblems(payload);
}

function* valueProblems(payload: CrmPayload): Generator<PayloadProblem> {
  const value = externalIdOf(payload);
  if (value !== undefined && value.trim() !== '' && value.length <= 255) return;
  yield problem(
    `/record/${payload.externalIdField ?? ''}`,
    'external_id_required',
    'record must have a value in the field that externalIdField names: a text of 1 to 255 characters, or a number',
  );
}

function* contentProblems(payload: CrmPayload): Generator<PayloadProblem> {
  if (payload.operation === 'delete') return;
  if (Object.keys(recordOf(payload)).length === 0) {
    yield problem(
      '/record',
      'record_required',
      `${payload.operation} writes nothing: give record at least one field`,
    );
  }
}

const problem = (path: string, code: string, message: string): PayloadProblem => ({ path, code, message });
