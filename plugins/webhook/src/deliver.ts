import type { Dispatcher } from 'undici';
import { type Answer, type ExchangeOptions, exchange, type Outcome } from './exchange.ts';
import { MAX_REDIRECTS, type WebhookPayload } from './payload.ts';
import { isRedirect, redirectTarget } from './redirect.ts';
import { firstTarget, type RequestContext, type Target, writeRequest } from './request.ts';
import type { Place } from './target.ts';

/** How a call ended, redirects included. */
export type Delivery =
  | Outcome
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Makes the call: one request, or more where the payload allows redirects. Never rejects. */
export function deliver(
  pool: Dispatcher,
  place: Place,
  context: RequestContext,
  options: ExchangeOptions,
): Promise<Delivery> {
  const { payload } = context;
  const target = firstTarget(payload, place);
  const send = (next: Target): Promise<Outcome> => exchange(pool, writeRequest(next, context), options);
  const first = send(target);
  const hops = hopsOf(payload);
  return hops === 0 ? first : follow(first, target, { send, hops, payload });
}

interface Following {
  send(target: Target): Promise<Outcome>;
  readonly hops: number;
  readonly payload: WebhookPayload;
}

async function follow(
  first: Promise<Outcome>,
  from: Target,
  { send, hops, payload }: Following,
): Promise<Delivery> {
  let outcome = await first;
  let target = from;
  for (let hop = 0; outcome.kind === 'answer' && leadsOn(outcome, payload); hop++) {
    if (hop === hops) return refused('too_many_redirects', `More than ${hops} redirects`);
    const next = redirectTarget(outcome, target);
    if (typeof next === 'string')
      return refused('invalid_redirect', `The redirect was not followed: ${next}`);
    target = next;
    const answer = await send(target);
    // An earlier request of this call was answered: something was sent, whatever happens now.
    outcome = answer.kind === 'answer' ? answer : { ...answer, sent: true };
  }
  return outcome;
}

function leadsOn({ status }: Answer, { successStatuses }: WebhookPayload): boolean {
  return isRedirect(status) && successStatuses?.includes(status) !== true;
}

function hopsOf({ followRedirects }: WebhookPayload): number {
  if (followRedirects === true) return MAX_REDIRECTS;
  return typeof followRedirects === 'number' ? followRedirects : 0;
}

function refused(code: string, message: string): Delivery {
  return { kind: 'refused', code, message };
}
