import type { Batch, BatchState } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { COMPONENT, JsonObject, nullable, oneOfStrings, strict, Time } from './common.ts';

const STATES = ['open', 'scheduled', 'running', 'paused', 'cancelling', 'cancelled', 'completed'] as const;

export const BatchStateSchema = oneOfStrings(STATES satisfies readonly BatchState[], {
  [COMPONENT]: 'BatchState',
});

const Count = Type.Integer({ minimum: 0 });

const Counts = strict(
  {
    total: Count,
    waiting: Count,
    running: Count,
    succeeded: Count,
    failed: Count,
    unknown: Count,
    cancelled: Count,
  },
  { [COMPONENT]: 'BatchCounts', description: '`total` is the sum of the others, at every moment.' },
);

const Blocked = strict(
  { code: Type.String(), message: nullable(Type.String()), since: Time },
  { description: 'Why nothing moves although the batch is running: its connection is blocked.' },
);

/** A batch as the API shows it. */
export const BatchSchema = strict(
  {
    id: Type.String(),
    type: Type.String(),
    origin: oneOfStrings(['batch', 'single'], { description: '`single`: holds jobs of POST /v1/jobs.' }),
    name: nullable(Type.String()),
    state: BatchStateSchema,
    provider: Type.String(),
    connection: Type.Union([Type.String(), Type.Null()], {
      description: 'Name of its connection; null for a default one.',
    }),
    connectionId: Type.String(),
    dryRun: Type.Boolean({ description: 'The sandbox takes its jobs: nobody is reached.' }),
    priority: Type.Integer(),
    counts: Counts,
    dedupeBy: Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: 'The paths by which duplicates are left out; null if they are taken.',
    }),
    duplicates: Type.Integer({
      minimum: 0,
      description: 'Jobs that were left out as duplicates of earlier ones; in no other count.',
    }),
    rejected: Type.Integer({
      minimum: 0,
      description: 'Lines that uploads with `onInvalid=skip` left out; in no other count.',
    }),
    blocked: nullable(Blocked),
    plugin: strict({ name: Type.String(), version: Type.String() }),
    scheduledAt: nullable(Time),
    createdAt: Time,
    sealedAt: nullable(Time),
    completedAt: nullable(Time),
  },
  { [COMPONENT]: 'Batch' },
);

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Turns the engine's batch into the API's: only the fields of the schema, times as strings. */
export function batchView(batch: Batch): Static<typeof BatchSchema> {
  const { blocked } = batch;
  return {
    id: batch.id,
    type: batch.type,
    origin: batch.origin,
    name: batch.name,
    state: batch.state,
    provider: batch.provider,
    connection: batch.connection,
    connectionId: batch.connectionId,
    dryRun: batch.dryRun,
    priority: batch.priority,
    counts: batch.counts,
    dedupeBy: batch.dedupeBy === null ? null : [...batch.dedupeBy],
    duplicates: batch.duplicates,
    rejected: batch.rejected,
    blocked: blocked && { code: blocked.code, message: blocked.message, since: blocked.since.toISOString() },
    plugin: { name: batch.plugin.name, version: batch.plugin.version },
    scheduledAt: iso(batch.scheduledAt),
    createdAt: batch.createdAt.toISOString(),
    sealedAt: iso(batch.sealedAt),
    completedAt: iso(batch.completedAt),
  };
}

const Retry = strict(
  {
    maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'Default 5.' })),
    baseMs: Type.Optional(Type.Integer({ minimum: 1, description: 'Base of the backoff. Default 1,000.' })),
    capMs: Type.Optional(Type.Integer({ minimum: 1, description: 'Cap of the backoff. Default 3,600,000.' })),
    maxAgeMs: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Given up after. Default 259,200,000 (72 h).' }),
    ),
  },
  { [COMPONENT]: 'RetryPolicy' },
);

/** How the jobs of a batch, or a single job, are to be delivered. */
export const deliveryFields = {
  provider: Type.Optional(
    Type.String({ description: "Default: the module's first provider that can work." }),
  ),
  connection: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "Name of a connection; the provider follows from it. Default: the provider's default connection.",
    }),
  ),
  dryRun: Type.Optional(
    Type.Boolean({
      description:
        "The module's sandbox takes the jobs, whatever `provider` and `connection` say: they are checked, and nobody " +
        'is reached. Default false.',
    }),
  ),
  priority: Type.Optional(
    Type.Integer({ minimum: -100, maximum: 100, description: 'Higher goes first. Default 0.' }),
  ),
  scheduledAt: Type.Optional(Type.String({ format: 'date-time', description: 'Not before this time.' })),
  retry: Type.Optional(Retry),
};

const DedupeBy = Type.Unsafe<string | string[]>({
  type: ['string', 'array'],
  items: { type: 'string' },
  minItems: 1,
  maxItems: 8,
  examples: ['to', ['variables.customerId']],
  description:
    'A path into the payload, or a list of paths. A job whose values there equal those of an earlier job of the ' +
    'batch is left out and counted in `duplicates`. Values are compared as they will be sent, defaults merged and ' +
    'templates rendered, as JSON: `A` and `a` differ, so do `1` and `"1"`; numbers are as JavaScript reads them, so ' +
    'ids beyond 2^53 must be strings. A missing value, null and an empty string are no value; a job without a ' +
    'value at any of the paths is never a duplicate.',
});

/**
 * The envelope of a new batch. Payloads are checked by the engine, once, so that each error
 * names its job; the OpenAPI document shows them in full.
 */
export const BatchBody = strict({
  type: Type.String({ minLength: 1 }),
  name: Type.Optional(Type.String({ maxLength: 200 })),
  defaults: Type.Optional(JsonObject),
  jobs: Type.Optional(Type.Array(JsonObject)),
  sealed: Type.Optional(Type.Boolean({ description: 'Default: true if `jobs` is given, else false.' })),
  dedupeBy: Type.Optional(DedupeBy),
  ...deliveryFields,
});

export const RetryBody = strict({
  states: Type.Optional(
    Type.Array(oneOfStrings(['failed', 'unknown', 'cancelled']), {
      minItems: 1,
      uniqueItems: true,
      description: 'Jobs in these states are tried again. Default `["failed"]`.',
    }),
  ),
});
