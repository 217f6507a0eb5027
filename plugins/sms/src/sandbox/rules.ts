import { blocked, failed, type JobResult, retry, throttled, unknown } from '@batchsender/core/plugin';
import type { Message } from '../message.ts';

/** How long a throttled job of the sandbox waits, in milliseconds. */
const THROTTLE_MS = 1_000;

/** Codes with which a number is refused. */
type Refusals = Readonly<Record<string, string>>;

// The magic numbers of Twilio's test credentials: https://www.twilio.com/docs/iam/test-credentials
const RECIPIENTS: Refusals = {
  '+15005550001': 'invalid_recipient',
  '+15005550002': 'not_routable',
  '+15005550003': 'region_not_permitted',
  '+15005550004': 'opted_out',
  '+15005550009': 'not_a_mobile_number',
};
const SENDERS: Refusals = {
  '+15005550001': 'invalid_sender',
  '+15005550007': 'invalid_sender',
};
const FULL_QUEUE = '+15005550008';

/** What happens to a message; undefined if it is taken. `stall` waits for the signal. */
export function callRule({ to, sender }: Message, attempt: number): JobResult | 'stall' | undefined {
  const isFirst = attempt === 1;
  const from = sender?.value ?? '';
  if (from === FULL_QUEUE) return isFirst ? throttled(THROTTLE_MS, { code: 'queue_full' }) : undefined;
  const refusal = SENDERS[from] ?? RECIPIENTS[to];
  if (refusal !== undefined) return failed(refusal, { message: 'The sandbox refuses this number' });
  return ownRule(to, isFirst);
}

/** Numbers of our own, for what a real provider does now and then. */
function ownRule(to: string, isFirst: boolean): JobResult | 'stall' | undefined {
  switch (to) {
    case '+15005550010':
      return isFirst ? retry('service_unavailable', { message: 'The sandbox failed this once' }) : undefined;
    case '+15005550011':
      return isFirst ? throttled(THROTTLE_MS, { code: 'too_many_requests' }) : undefined;
    case '+15005550012':
      return isFirst ? blocked('auth_failed', { message: 'The sandbox blocks this once' }) : undefined;
    case '+15005550013':
      return unknown('connection_reset', { message: 'The sandbox took the message, and was cut off' });
    case '+15005550014':
      return 'stall';
    default:
      return undefined;
  }
}
