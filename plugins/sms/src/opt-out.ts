import type { CallbackAnswer } from '@batchsender/core/plugin';
import { parseNumber } from './phone-number.ts';

/** What a reply asks for. */
export type OptOut = 'stop' | 'start';

// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out (STOP and its like) and
// https://help.twilio.com/articles/223134027 (START, YES and UNSTOP); other vendors' lists are the same.
const STOP = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT']);
const START = new Set(['START', 'YES', 'UNSTOP']);

/** The wish in a reply: only a text that is nothing but one keyword counts, in any case. */
export function optOutOf(text: string): OptOut | undefined {
  const word = text.trim().toUpperCase();
  if (STOP.has(word)) return 'stop';
  return START.has(word) ? 'start' : undefined;
}

/** What follows from a wish of the person with this number. */
export function optOutAnswer(wish: OptOut | undefined, number: string): CallbackAnswer {
  const recipient = parseNumber(number);
  if (wish === undefined || typeof recipient !== 'string') return { events: [] };
  if (wish === 'start') return { events: [], lift: [recipient] };
  return { events: [], suppress: [{ recipient, reason: 'unsubscribed' }] };
}
