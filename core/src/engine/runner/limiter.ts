import type { Rate } from '../../plugin/index.ts';
import type { RunStore } from '../store.ts';
import type { PlannedCall } from './call-queue.ts';
import type { ConnectionGate } from './gate.ts';
import type { BatchPlan } from './prepare.ts';

export interface TokenOutcome {
  /** Calls that have their tokens. */
  readonly go: readonly PlannedCall[];
  /** Calls that must wait. */
  readonly wait: readonly PlannedCall[];
  readonly waitMs: number;
}

export interface LimiterEnv {
  readonly store: RunStore;
  readonly plan: BatchPlan;
  readonly gate: ConnectionGate;
  now(): number;
  persist<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Part of its window for which a grant may be used: the store counts it for so much longer. */
const GRANT_LIFE = 1 / 40;

/**
 * Takes the tokens of calls that can start right now, all of one key in one statement. The
 * quota is in Postgres, so that all runners share it. A call that lacks one token waits.
 */
export async function takeTokens(env: LimiterEnv, calls: readonly PlannedCall[]): Promise<TokenOutcome> {
  const { rates } = env.plan;
  if (rates === undefined) return { go: calls, wait: [], waitMs: 0 };
  let go = calls.filter((call) => call.kind === 'call');
  const exempt = calls.filter((call) => call.kind !== 'call');
  const wait: PlannedCall[] = [];
  let waitMs = 0;
  for (const [index, rate] of rates.entries()) {
    const passed: PlannedCall[] = [];
    for (const [key, members] of byKey(index, go)) {
      const outcome = await takeForKey(env, rate, rateKey(env.plan.batch.connectionId, index, key), members);
      passed.push(...outcome.go);
      wait.push(...outcome.wait);
      waitMs = Math.max(waitMs, outcome.waitMs);
    }
    go = passed;
  }
  noteScarcity(env, rates, wait.length > 0);
  return { go: [...exempt, ...go], wait, waitMs };
}

/** Windows for which tokens count as scarce after some were refused. */
const SCARCE_WINDOWS = 10;

function noteScarcity({ gate, now }: LimiterEnv, rates: readonly Rate[], refused: boolean): void {
  if (refused) gate.scarceUntil = now() + SCARCE_WINDOWS * Math.max(...rates.map(({ windowMs }) => windowMs));
  else if (gate.scarceUntil === Number.POSITIVE_INFINITY) gate.scarceUntil = 0;
}

/** True if all calls of late had their tokens: then a fence may be written before they are there. */
export const tokensArePlentiful = ({ plan, gate, now }: LimiterEnv): boolean =>
  plan.rates !== undefined && now() >= gate.scarceUntil;

const byKey = (rate: number, calls: readonly PlannedCall[]): Map<string, PlannedCall[]> =>
  Map.groupBy(calls, (call) => call.rateKeys[rate] ?? '');

async function takeForKey(
  env: LimiterEnv,
  rate: Rate,
  key: string,
  calls: readonly PlannedCall[],
): Promise<TokenOutcome> {
  const pausedMs = (env.gate.rateKeys.get(key) ?? 0) - env.now();
  if (pausedMs > 0) return { go: [], wait: calls, waitMs: pausedMs };
  const request = { key, costs: costsOf(rate, calls), max: rate.max, windowMs: rate.windowMs };
  const answer = await env.persist(() => env.store.takeTokens(request));
  if (answer === undefined) return { go: [], wait: calls, waitMs: rate.windowMs };
  let left = answer.granted;
  const go: PlannedCall[] = [];
  const wait: PlannedCall[] = [];
  for (const [index, call] of calls.entries()) {
    const cost = request.costs[index] as number;
    if (cost > left) {
      wait.push(call);
      continue;
    }
    left -= cost;
    go.push(call);
  }
  return { go, wait, waitMs: wait.length === 0 ? 0 : Math.max(answer.waitMs, rate.windowMs * GRANT_LIFE) };
}

const costsOf = (rate: Rate, calls: readonly PlannedCall[]): number[] =>
  calls.map((call) => (rate.per === 'job' ? call.jobs.length : 1));

/** True if so much time has passed since tokens were asked for that others may have their place in the window. */
export function grantsAreStale(env: LimiterEnv, lateMs: number): boolean {
  return (env.plan.rates ?? []).some((rate) => lateMs > rate.windowMs / 2);
}

/** A call, and how long after its tokens were asked for it started. */
export interface Start {
  readonly call: PlannedCall;
  readonly lateMs: number;
}

/**
 * Counts calls that started later than their grant allows for once more, at the time of their
 * start: on a machine under load a limit must hold as well.
 */
export async function countLateStarts(env: LimiterEnv, starts: readonly Start[]): Promise<void> {
  for (const [index, rate] of (env.plan.rates ?? []).entries()) {
    const late = starts.filter(
      ({ call, lateMs }) => call.kind === 'call' && lateMs > rate.windowMs * GRANT_LIFE,
    );
    const calls = late.map(({ call }) => call);
    for (const [key, members] of byKey(index, calls)) {
      const { max, windowMs } = rate;
      const costs = costsOf(rate, members);
      const request = {
        key: rateKey(env.plan.batch.connectionId, index, key),
        costs,
        max,
        windowMs,
        used: true,
      };
      await env.persist(() => env.store.takeTokens(request));
    }
  }
}

/** A provider asked for patience with the keys of a call: calls with the same ones wait in this process. */
export function pauseRateKeys(env: LimiterEnv, call: PlannedCall, untilMs: number): void {
  for (const [index, key] of call.rateKeys.entries()) {
    env.gate.rateKeys.set(rateKey(env.plan.batch.connectionId, index, key), untilMs);
  }
}

const rateKey = (connectionId: string, index: number, key: string): string =>
  `${connectionId}|${index}|${key}`;
