import type { Guarantee, JobResult, Retry } from '../../plugin/index.ts';
import type { EventKind } from '../store.ts';
import type { FullRetryPolicy } from './backoff.ts';

/** What the engine knows of a job when its call ends. */
export interface SettleContext {
  readonly guarantee: Guarantee;
  readonly policy: FullRetryPolicy;
  /** Attempts of the budget spent before this one. */
  readonly spent: number;
  readonly ageMs: number;
  readonly firstLeaseAgeMs: number;
  /** An earlier call may have reached the provider. */
  readonly possibleDuplicate: boolean;
  /**
   * An earlier call may have arrived and nothing has told so far: giving the job up makes it
   * `unknown`. Default: `possibleDuplicate`, which providers that know repeats by a key are not told.
   */
  readonly undecided?: boolean;
  /** Fences of this attempt, this call's included; 0 without fences. */
  readonly fences: number;
}

/** Why a call left no result. */
export interface LostCall {
  readonly code: string;
  readonly message?: string;
  /** True if no byte can have reached the provider. */
  readonly notSent: boolean;
}

/** What is written about a job, and what happens next. */
export type Settlement =
  /** The attempt is closed by this event. `afterMs` is the least delay of a follow-up. */
  | {
      readonly kind: ClosingKind;
      readonly data: EventData;
      readonly afterMs?: number;
      readonly uncertain?: boolean;
    }
  /** The fence stays open; `note` is written as a further fence if there is one. */
  | { readonly kind: 'open'; readonly data: EventData; readonly checkAfterMs: number };

export type ClosingKind = Extract<EventKind, 'succeeded' | 'failed' | 'unknown' | 'retried' | 'postponed'>;

export type EventData = Record<string, unknown> | null;

const MAX_MESSAGE = 500;
const MAX_REF = 256;

/** From a provider's result to what is written (E1, E4). */
export function settle(result: JobResult, context: SettleContext): Settlement {
  switch (result.status) {
    case 'succeeded': {
      const ref = result.ref === undefined ? undefined : String(result.ref).slice(0, MAX_REF);
      return {
        kind: 'succeeded',
        data: flagged({ ...result.data, ...(ref === undefined ? {} : { ref }) }, context),
      };
    }
    case 'failed':
    case 'unknown':
      return { kind: result.status, data: flagged({ ...result.data, ...reason(result) }, context) };
    case 'retry':
      return settleRetry(result, context);
    case 'throttled':
      return postpone({ code: result.code ?? 'throttled' }, result.afterMs, context);
    case 'blocked':
      return postpone(reason(result), 0, context);
    case 'pending':
      return {
        kind: 'open',
        data: { pending: true, ref: String(result.ref).slice(0, MAX_REF) },
        checkAfterMs: Math.max(0, result.checkAfterMs),
      };
  }
}

/** A call that may have arrived all the same is a lost call: the guarantee decides. */
function settleRetry(result: Retry, context: SettleContext): Settlement {
  const doubtful = result.possibleDuplicate === true;
  if (doubtful && context.guarantee.kind !== 'at-least-once') {
    return settleLost({ ...result, notSent: false }, context);
  }
  const afterMs = Number.isFinite(result.afterMs) ? result.afterMs : undefined;
  return retryOrGiveUp({ ...result.data, ...reason(result) }, afterMs, context, doubtful);
}

/** A call that ended without a result: the provider's guarantee decides. */
export function settleLost(lost: LostCall, context: SettleContext): Settlement {
  const why = reason(lost);
  const { guarantee } = context;
  // That this call did not leave says nothing of an earlier one under the same key.
  const repeated = guarantee.kind === 'keyed' && guarantee.scope === 'call' && context.fences > 1;
  if (lost.notSent && !repeated) return retryOrGiveUp(why, undefined, context, false);
  switch (guarantee.kind) {
    case 'at-least-once':
      return retryOrGiveUp(why, undefined, context, true);
    case 'at-most-once':
      return { kind: 'unknown', data: flagged(why, context) };
    case 'reconcilable':
      return { kind: 'open', data: null, checkAfterMs: guarantee.settleMs };
    case 'keyed':
      if (context.firstLeaseAgeMs >= guarantee.ttlMs) return expiredKey(context);
      if (guarantee.scope === 'job') return retryOrGiveUp(why, undefined, context, true);
      return repeatSameCall(why, context);
  }
}

/** A job whose open fence was found when its chunk was leased again (E3). */
export function settleOpenFence(context: SettleContext): 'call' | 'repeat' | 'resolve' | Settlement {
  const { guarantee } = context;
  switch (guarantee.kind) {
    case 'at-least-once':
      return 'call';
    case 'reconcilable':
      return 'resolve';
    case 'keyed':
      return context.firstLeaseAgeMs >= guarantee.ttlMs ? expiredKey(context) : 'repeat';
    case 'at-most-once':
      return {
        kind: 'unknown',
        data: {
          code: 'interrupted',
          message: 'The process ended during the call; nobody knows whether it arrived',
        },
      };
  }
}

/** Too old to be started: given up, or `unknown` if an earlier call is undecided (E4). */
export function expired(undecided: boolean): Settlement {
  return undecided
    ? { kind: 'unknown', data: { code: 'expired', message: 'Too old, and an earlier call is undecided' } }
    : {
        kind: 'failed',
        data: { code: 'expired', message: 'Not delivered within retry.maxAgeMs of its due time' },
      };
}

/**
 * A job that no fence tells about, in a chunk whose earlier calls may have arrived: past the
 * time for which its provider remembers keys it must not be called again. Undefined if it may.
 */
export function settleDoubtful(
  context: Pick<SettleContext, 'guarantee' | 'firstLeaseAgeMs' | 'possibleDuplicate'>,
): Settlement | undefined {
  const { guarantee, firstLeaseAgeMs } = context;
  if (guarantee.kind !== 'keyed' || guarantee.scope !== 'job' || firstLeaseAgeMs < guarantee.ttlMs)
    return undefined;
  return expiredKey(context);
}

function expiredKey(context: Pick<SettleContext, 'possibleDuplicate'>): Settlement {
  const why = {
    code: 'key_expired',
    message: 'The call was lost, and its idempotency key is too old to repeat it',
  };
  return { kind: 'unknown', data: flagged(why, context) };
}

/** The fence stays open, so that the same jobs are called again with the same key. */
export function repeatSameCall(why: Record<string, unknown>, context: SettleContext): Settlement {
  if (context.fences >= context.policy.maxAttempts) return { kind: 'unknown', data: flagged(why, context) };
  const { baseMs, capMs } = context.policy;
  const waitMs = Math.min(capMs, baseMs * 2 ** Math.max(0, context.fences - 1));
  return { kind: 'open', data: null, checkAfterMs: waitMs };
}

function retryOrGiveUp(
  why: Record<string, unknown>,
  afterMs: number | undefined,
  context: SettleContext,
  uncertain: boolean,
): Settlement {
  const { policy } = context;
  const undecided = uncertain || isUndecided(context);
  const end = undecided ? 'unknown' : 'failed';
  const data = flagged(uncertain ? { ...why, uncertain: true } : why, context);
  if (context.spent + 1 >= policy.maxAttempts) return { kind: end, data: { ...data, exhausted: true } };
  if (context.ageMs + (afterMs ?? 0) >= policy.maxAgeMs)
    return { kind: end, data: { ...data, code: 'expired', last: why['code'] } };
  return {
    kind: 'retried',
    data,
    uncertain: undecided,
    ...(afterMs === undefined ? {} : { afterMs: Math.max(0, afterMs) }),
  };
}

function postpone(why: Record<string, unknown>, afterMs: number, context: SettleContext): Settlement {
  if (context.ageMs + afterMs >= context.policy.maxAgeMs) return expired(isUndecided(context));
  return {
    kind: 'postponed',
    data: why,
    afterMs: Math.max(0, afterMs),
    uncertain: isUndecided(context),
  };
}

const isUndecided = (context: SettleContext): boolean => context.undecided ?? context.possibleDuplicate;

/** Code and message, as the log holds them. */
export function reason(from: { code: string; message?: string }): Record<string, unknown> {
  const message = from.message === undefined ? {} : { message: String(from.message).slice(0, MAX_MESSAGE) };
  return { code: String(from.code).slice(0, 100), ...message };
}

/** Null instead of an empty object: most successes carry nothing, and the log is large. */
function flagged(
  data: Record<string, unknown>,
  context: Pick<SettleContext, 'possibleDuplicate'>,
): EventData {
  const all = context.possibleDuplicate ? { ...data, possibleDuplicate: true } : data;
  return Object.keys(all).length === 0 ? null : all;
}
