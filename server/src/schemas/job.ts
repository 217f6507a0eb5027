import type { JobDetail, JobState, JobSummary } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { deliveryFields } from './batch.ts';
import { COMPONENT, JsonObject, nullable, oneOfStrings, openObject, strict, Time } from './common.ts';
import { Place } from './problem.ts';

const STATES = ['waiting', 'running', 'succeeded', 'failed', 'unknown', 'cancelled'] as const;

export const JobStateSchema = oneOfStrings(STATES satisfies readonly JobState[], { [COMPONENT]: 'JobState' });

export const summaryFields = {
  id: Type.String(),
  batchId: Type.String(),
  seq: Type.Integer({ minimum: 0 }),
  state: JobStateSchema,
  attempts: Type.Integer({ minimum: 0, description: 'Attempts made or under way.' }),
  ref: Type.Union([Type.String(), Type.Null()], { description: "The provider's id." }),
  code: Type.Union([Type.String(), Type.Null()], { description: 'Code of the latest outcome or retry.' }),
  message: nullable(Type.String()),
  delivery: Type.Union([Type.String(), Type.Null()], {
    description: 'The receipt that counts, `delivered` or `bounced` for example.',
  }),
  possibleDuplicate: Type.Boolean({ description: 'The provider may have been called twice.' }),
  at: Type.Union([Time, Type.Null()], { description: 'Time of the latest event.' }),
};

/** A job as lists show it. */
export const JobSummarySchema = strict(summaryFields, { [COMPONENT]: 'JobSummary' });

const EventSchema = strict(
  {
    kind: Type.String({ examples: ['succeeded'] }),
    attempt: Type.Integer({ minimum: 0 }),
    at: Time,
    data: nullable(JsonObject),
  },
  { [COMPONENT]: 'JobEvent' },
);

/** One job with its payload and its timeline. */
export const JobSchema = strict(
  {
    ...summaryFields,
    type: Type.String(),
    payload: openObject({ description: "As submitted, without the batch's defaults." }),
    events: Type.Array(EventSchema, { description: 'All that happened, in order.' }),
  },
  { [COMPONENT]: 'Job' },
);

/** The envelope of a single job; the engine checks the payload. */
export const JobBody = strict({
  type: Type.String({ minLength: 1 }),
  payload: JsonObject,
  ...deliveryFields,
});

export const JobAccepted = strict(
  {
    id: Type.String(),
    batchId: Type.String(),
    suppressed: Type.Optional(
      Type.Literal(true, {
        description: 'A recipient is suppressed: as it stands now, the job will fail without a call.',
      }),
    ),
  },
  { [COMPONENT]: 'JobAccepted' },
);

export const ResolveBody = strict({
  outcome: oneOfStrings(['succeeded', 'failed']),
  note: Type.Optional(
    Type.String({ maxLength: 1_000, description: 'Kept in the timeline. No personal data.' }),
  ),
});

/** Of a batch or an upload. */
export const Suppressed = Type.Integer({
  minimum: 1,
  description:
    'Jobs that will fail without a call, as the suppression list stands now; absent if there are none. ' +
    'They are counted before duplicates are left out.',
});

export const UploadAnswerSchema = strict(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Jobs that were stored.' }),
    rejected: Type.Integer({ minimum: 0, description: 'Invalid lines that were left out.' }),
    duplicates: Type.Integer({ minimum: 0, description: "Lines that the batch's `dedupeBy` left out." }),
    suppressed: Type.Optional(Suppressed),
    errors: Type.Array(Place, {
      description: 'What is wrong with the rejected lines, in order: the first 100 problems.',
    }),
  },
  { [COMPONENT]: 'UploadAnswer', description: 'Each line is in one of the three counts.' },
);

/** Turns the engine's summary of a job into the API's. */
export function jobSummaryView(job: JobSummary): Static<typeof JobSummarySchema> {
  return {
    id: job.id,
    batchId: job.batchId,
    seq: job.seq,
    state: job.state,
    attempts: job.attempts,
    ref: job.ref,
    code: job.code,
    message: job.message,
    delivery: job.delivery,
    possibleDuplicate: job.possibleDuplicate,
    at: job.at?.toISOString() ?? null,
  };
}

/** Turns the engine's job into the API's. */
export function jobView(job: JobDetail): Static<typeof JobSchema> {
  return {
    ...jobSummaryView(job),
    type: job.type,
    payload: job.payload,
    events: job.events.map(({ kind, attempt, at, data }) => ({ kind, attempt, at: at.toISOString(), data })),
  };
}
