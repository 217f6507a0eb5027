import { type Guarantee, type Static, Type } from '@batchsender/core/plugin';
import { REMEMBERS_MS, remembersMs, signing } from './credentials.ts';
import { GUARANTEE } from './judge.ts';

/** Schema of the credentials of the provider `bulk`. It works without any. */
export const BulkCredentials = Type.Object(
  {
    ...signing,
    deduplicates: Type.Optional(
      Type.Union([Type.Literal('jobs'), Type.Literal('calls')], {
        description:
          'What the receiver does only once however often it comes: `jobs` by the id of each, or `calls` by `webhook-id`. Default: neither.',
      }),
    ),
    remembersMs,
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
export function guaranteeOf(credentials: BulkCredentials): Guarantee {
  const { deduplicates, remembersMs: ttlMs = REMEMBERS_MS } = credentials;
  if (deduplicates === undefined) return GUARANTEE;
  return { kind: 'keyed', scope: deduplicates === 'jobs' ? 'job' : 'call', ttlMs };
}
