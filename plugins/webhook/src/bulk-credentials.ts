import { type Guarantee, type Static, Type } from '@batchsender/core/plugin';
import { GUARANTEE } from './judge.ts';
import { HttpCredentials } from './payload.ts';

/** How long a receiver that knows repeats remembers them, unless it is said, in milliseconds: a day. */
const REMEMBERS_MS = 86_400_000;

/** Schema of the credentials of the provider `bulk`. It works without any. */
export const BulkCredentials = Type.Object(
  {
    signingSecret: HttpCredentials.properties.signingSecret,
    deduplicates: Type.Optional(
      Type.Union([Type.Literal('jobs'), Type.Literal('calls')], {
        description:
          'What the receiver does only once however often it comes: `jobs` by the id of each, or `calls` by `webhook-id`. Default: neither.',
      }),
    ),
    remembersMs: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        description:
          'For how long it remembers them, in milliseconds. Default 86,400,000 (24 h). Later repeats are not made.',
      }),
    ),
    trustStatus: Type.Optional(
      Type.Boolean({
        description:
          'Take a success status without a list of results for the success of all jobs of the call. Default false.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `bulk`. */
export type BulkCredentials = Static<typeof BulkCredentials>;

/** What may be repeated depends on what the receiver remembers. */
export function guaranteeOf({ deduplicates, remembersMs = REMEMBERS_MS }: BulkCredentials): Guarantee {
  if (deduplicates === undefined) return GUARANTEE;
  return { kind: 'keyed', scope: deduplicates === 'jobs' ? 'job' : 'call', ttlMs: remembersMs };
}
