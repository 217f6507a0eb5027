import type { Rate } from '../../plugin/index.ts';
import type { RunStore } from '../store.ts';
import type { PlannedCall } from './call-queue.ts';
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
  persist<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/**
 * Takes the tokens of calls that can start right now, all of one key in one statement. The
 * quota is in Postgres, so that all runners share it. A call that lacks one token waits.
 */
export async function takeTokens(env: LimiterEnv, calls: readonly PlannedCall[]): Promise<TokenOutcome> {
  const rates = env.plan.provider.rates ?? [];
  let go = calls.filter((call) => call.kind === 'call');
  const exempt = calls.filter((call) => call.kind !== 'call');
  const wait: PlannedCall[] = [];
  let waitMs = 0;
  for (const [index, rate] of rates.entries()) {
    const passed: PlannedCall[] = [];
    for (const [key, members] of byKey(rate, go)) {
      const outcome = await takeForKey(env, rate, `${env.plan.batch.connectionId}|${index}|${key}`, members);
      passed.push(...outcome.go);
      wait.push(...outcome.wait);
      waitMs = Math.max(waitMs, outcome.waitMs);
    }
    go = passed;
  }
  return { go: [...exempt, ...go], wait, waitMs };
}

function byKey(rate: Rate, calls: readonly PlannedCall[]): Map<string, PlannedCall[]> {
  const groups = new Map<string, PlannedCall[]>();
  for (const call of calls) {
    const payload = call.jobs[0]?.job.payload;
    const key = rate.key === undefined || payload === undefined ? '' : rate.key(payload);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return groups;
}

async function takeForKey(env: LimiterEnv, rate: Rate, key: string, calls: readonly PlannedCall[]): Promise<TokenOutcome> {
  const cost = (call: PlannedCall) => (rate.per === 'job' ? call.jobs.length : 1);
  const count = calls.reduce((sum, call) => sum + cost(call), 0);
  const answer = await env.persist(() => env.store.takeTokens({ key, count, max: rate.max, windowMs: rate.windowMs }));
  if (answer === undefined) return { go: [], wait: calls, waitMs: rate.windowMs };
  let left = answer.granted;
  const go: PlannedCall[] = [];
  const wait: PlannedCall[] = [];
  for (const call of calls) {
    if (cost(call) > left) {
      wait.push(call);
      continue;
    }
    left -= cost(call);
    go.push(call);
  }
  return { go, wait, waitMs: wait.length === 0 ? 0 : Math.max(answer.waitMs, rate.windowMs / 40) };
}
