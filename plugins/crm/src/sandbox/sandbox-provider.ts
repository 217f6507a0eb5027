import { setTimeout as sleep } from 'node:timers/promises';
import {
  defineProvider,
  LostCallError,
  notSent,
  type Static,
  succeeded,
  Type,
} from '@batchsender/core/plugin';
import { AT_MOST_ONCE, groupKey, guaranteeBy } from '../guarantee.ts';
import { CrmPayload } from '../payload.ts';
import { refOf, ruleFor } from './rules.ts';

/** Schema of the credentials of the provider `sandbox`. It works without any. */
export const SandboxCredentials = Type.Object(
  {
    latencyMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 60_000, description: 'How long a call takes. Default 200.' }),
    ),
  },
  {
    additionalProperties: false,
    // The server shows this when it falls back to the sandbox.
    description: 'It writes no record anywhere; what becomes of a job is decided by words in its record.',
  },
);

/** The credentials of the provider `sandbox`. */
export type SandboxCredentials = Static<typeof SandboxCredentials>;

/** Reaches no CRM; takes calls of a hundred records, as HubSpot does. */
export const sandbox = defineProvider({
  title: 'Sandbox (writes nothing)',
  payload: CrmPayload,
  credentials: SandboxCredentials,
  guarantee: guaranteeBy(AT_MOST_ONCE),
  batchSize: 100,
  groupKey,
  open: ({ latencyMs = 200 }) => ({
    async processBatch(jobs, { signal }) {
      await sleep(latencyMs, undefined, { signal }).catch((error: unknown) => {
        throw notSent(error);
      });
      const rules = jobs.map(ruleFor);
      if (rules.includes('stall')) await aborted(signal);
      return rules.filter((rule) => rule !== 'stall');
    },
    resolve: async (jobs) => jobs.map((job) => succeeded(job.ref ?? refOf(job))),
  }),
});

function aborted(signal: AbortSignal): Promise<never> {
  const lost = () => new LostCallError('The sandbox never answered', 'timeout');
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(lost());
    else signal.addEventListener('abort', () => reject(lost()), { once: true });
  });
}
