import {
  blocked,
  failed,
  type Job,
  type JobResult,
  pending,
  retry,
  succeeded,
  throttled,
  unknown,
} from '@batchsender/core/plugin';
import { type CrmPayload, recordOf } from '../payload.ts';
import { texts } from '../recipients.ts';

/** How long a throttled job waits, and after which time a pending one is asked about, in milliseconds. */
const WAIT_MS = 1_000;

/** The sandbox's id of a record: the same for each attempt of a job. */
export const refOf = ({
  batchId,
  seq,
  payload,
}: Pick<Job<CrmPayload>, 'batchId' | 'seq' | 'payload'>): string => payload.id ?? `sandbox_${batchId}.${seq}`;

/**
 * The word that decides for a text: `sandbox:retry`, or the part of an address before the @ that
 * follows the last plus sign. So `fail@example.com` and `ada+fail@example.com` do the same.
 */
function wordOf(text: string): string {
  if (text.startsWith('sandbox:')) return text.slice('sandbox:'.length);
  const at = text.lastIndexOf('@');
  const local = at < 0 ? '' : text.slice(0, at).toLowerCase();
  return local.slice(local.lastIndexOf('+') + 1);
}

/** What becomes of a job; the first text of its record that has a word decides. `stall` waits for the signal. */
export function ruleFor(job: Job<CrmPayload>): JobResult | 'stall' {
  for (const [field, value] of Object.entries(recordOf(job.payload))) {
    for (const text of texts(value)) {
      const rule = ruleOf(wordOf(text), job, field);
      if (rule !== undefined) return rule;
    }
  }
  return succeeded(refOf(job));
}

function ruleOf(word: string, job: Job<CrmPayload>, field: string): JobResult | 'stall' | undefined {
  const once = <T>(result: T): T | undefined => (job.attempt === 1 ? result : undefined);
  switch (word) {
    case 'fail':
      return failed('invalid_value', { message: 'The sandbox refused a value', data: { field } });
    case 'duplicate':
      return failed('duplicate_value', { message: 'The sandbox has such a record already', data: { field } });
    case 'missing':
      return failed('not_found', { message: 'The sandbox has no such record' });
    case 'unknown':
      return unknown('connection_closed', { message: 'The sandbox closed the connection after the record' });
    case 'stall':
      return 'stall';
    case 'pending':
      return pending(refOf(job), WAIT_MS);
    case 'retry':
      return once(retry('server_error', { message: 'The sandbox failed this once' }));
    case 'throttle':
      return once(throttled(WAIT_MS, { code: 'rate_limited' }));
    case 'block':
      return once(blocked('auth_failed', { message: 'The sandbox blocks this once' }));
    default:
      return undefined;
  }
}
