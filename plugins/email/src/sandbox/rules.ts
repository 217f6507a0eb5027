import { blocked, type JobResult, retry, throttled, unknown } from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import type { Message } from '../message/compose.ts';
import type { Rejection } from '../smtp/judge-recipients.ts';
import type { Reply } from '../smtp/reply.ts';

/** How long a throttled job of the sandbox waits. */
const THROTTLE_MS = 1_000;

/** Refusals by word, as a server would answer. */
const REFUSALS: Readonly<Record<string, Reply>> = {
  bounce: { status: 550, enhanced: '5.1.1' },
  full: { status: 552, enhanced: '5.2.2' },
  reject: { status: 554, enhanced: '5.7.1' },
  defer: { status: 450, enhanced: '4.2.1' },
};

/**
 * The word that decides for an address: all before the @, or what follows the last plus sign.
 * So `bounce@example.com` and `ada+bounce@example.com` do the same.
 */
export function wordOf(address: string): string {
  const local = address.slice(0, address.lastIndexOf('@')).toLowerCase();
  return local.slice(local.lastIndexOf('+') + 1);
}

/** The recipients whom the sandbox refuses. */
export function refusals({ recipients }: Message): Rejection[] {
  return recipients.flatMap(({ mailbox: { address } }) => {
    const word = wordOf(address);
    const reply = lookup(REFUSALS, word);
    return reply === undefined ? [] : [{ address, reply }];
  });
}

/** What happens to the whole call; the first recipient with a word decides. `stall` waits for the signal. */
export function callRule({ recipients }: Message, attempt: number): JobResult | 'stall' | undefined {
  for (const { mailbox } of recipients) {
    const rule = ruleOf(wordOf(mailbox.address), attempt === 1);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

function ruleOf(word: string, isFirst: boolean): JobResult | 'stall' | undefined {
  switch (word) {
    case 'unknown':
      return unknown('connection_closed', { message: 'The sandbox closed the connection after the message' });
    case 'stall':
      return 'stall';
    case 'retry':
      return isFirst ? retry('server_error', { message: 'The sandbox failed this once' }) : undefined;
    case 'throttle':
      return isFirst ? throttled(THROTTLE_MS, { code: 'server_unavailable' }) : undefined;
    case 'block':
      return isFirst ? blocked('auth_failed', { message: 'The sandbox blocks this once' }) : undefined;
    default:
      return undefined;
  }
}
