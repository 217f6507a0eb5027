import { setTimeout as sleep } from 'node:timers/promises';
import {
  blocked,
  failed,
  type Guarantee,
  type Job,
  type JobResult,
  LostCallError,
  NotSentError,
  pending,
  type Resolution,
  retry,
  succeeded,
  throttled,
  type UnresolvedJob,
  unknown,
} from '../../src/plugin/index.ts';
import { type ModelPayload, modelProvider, type ProviderName } from './model-providers.ts';
import { type Random, seededRandom, skew } from './model-random.ts';

/** One job in one call, as the vendor saw it. */
export interface LedgerEntry {
  readonly engine: number;
  readonly provider: string;
  readonly guarantee: Guarantee;
  readonly jobId: string;
  readonly batchId: string;
  readonly attempt: number;
  readonly key: string;
  /** Ids of all jobs of the call, in order. */
  readonly members: readonly string[];
  /** What the engine told the provider. */
  readonly possibleDuplicate: boolean;
  /** The vendor delivered the job because of this call. */
  readonly took: boolean;
  /** By the monotonic clock. */
  readonly atMs: number;
}

/** A call as it reaches the vendor. */
export interface VendorCall {
  readonly engine: number;
  readonly provider: ProviderName;
  readonly key: string;
  readonly jobs: readonly Job<ModelPayload>[];
  readonly signal: AbortSignal;
}

type Fate = 'answer' | 'lost' | 'crash' | 'notSent' | 'hang' | 'late';
type Verdict = 'ok' | 'retry' | 'doubt' | 'failed' | 'unknown' | 'throttled' | 'blocked' | 'missing';

const FATES = { answer: 84, lost: 4, crash: 2, notSent: 3, hang: 4, late: 5 };
const VERDICTS = {
  ok: 70,
  retry: 12,
  doubt: 4,
  failed: 5,
  unknown: 3,
  throttled: 2,
  blocked: 0.3,
  missing: 1,
};

/** A vendor that is slow, refuses, loses answers and keeps a ledger of what it was asked. */
export class ModelVendor {
  readonly ledger: LedgerEntry[] = [];
  /** From now on everything works. */
  healthy = false;
  readonly #seed: number;
  readonly #fates: typeof FATES;
  readonly #verdicts: typeof VERDICTS;
  readonly #slowestMs: number;
  readonly #calls = new Map<string, number>();
  readonly #taken = new Map<string, { visibleAt: number; doneAt: number }>();
  readonly #keys = new Map<string, Set<string>>();

  constructor(seed: number) {
    this.#seed = seed;
    const random = seededRandom(`vendor ${seed}`);
    this.#fates = skew(FATES, random);
    this.#verdicts = skew(VERDICTS, random);
    this.#slowestMs = random.pick([10, 30, 150]);
  }

  async call(call: VendorCall): Promise<(JobResult | undefined)[]> {
    const random = this.#random(call.jobs[0]);
    const fate: Fate = this.healthy ? 'answer' : random.weighted(this.#fates);
    if (fate === 'notSent') throw new NotSentError('the vendor cannot be reached', 'connection_refused');
    const taken = fate === 'answer' || fate === 'late' || random.chance(0.5);
    const results = call.jobs.map((job) => this.#take(call, job, random, taken));
    if (fate === 'hang') return untilAborted(call.signal);
    await sleep(
      fate === 'late' ? random.int(1_250, 1_900) : random.int(0, this.healthy ? 10 : this.#slowestMs),
    );
    if (fate === 'lost') throw new LostCallError(`cut off ${random.next()}`, 'connection_reset');
    if (fate === 'crash') throw new Error(`provider bug ${random.next()}`);
    return results;
  }

  /** What the vendor knows of a job. It tells the truth, where it tells. */
  async resolve(job: UnresolvedJob<ModelPayload>): Promise<Resolution | undefined> {
    const random = this.#random(job);
    await sleep(random.int(0, 20));
    if (!this.healthy && random.chance(0.1)) throw new LostCallError('no answer', 'connection_reset');
    if (!this.healthy && random.chance(0.1)) return random.chance(0.5) ? undefined : { status: 'undecided' };
    const taken = this.#taken.get(job.id);
    const now = performance.now();
    if (taken === undefined || now < taken.visibleAt) return { status: 'absent' };
    return now < taken.doneAt ? pending(`ref-${job.seq}`, 100) : succeeded(`ref-${job.seq}`);
  }

  #random(job: Job<ModelPayload> | undefined): Random {
    if (job === undefined) throw new Error('a call without jobs');
    const calls = (this.#calls.get(job.id) ?? 0) + 1;
    this.#calls.set(job.id, calls);
    return seededRandom(`${this.#seed}|${job.payload.tag}|${job.payload.n}|${calls}`);
  }

  /** Decides about one job, writes the ledger, and says what the vendor answers. */
  #take(call: VendorCall, job: Job<ModelPayload>, random: Random, arrives: boolean): JobResult | undefined {
    const { guarantee, pending: slow } = modelProvider(call.provider);
    const verdict: Verdict =
      this.healthy || this.#repeats(call, job) ? 'ok' : random.weighted(this.#verdicts);
    const doubt = verdict === 'doubt' || verdict === 'unknown' || verdict === 'missing';
    const takes = arrives && (verdict === 'ok' || (doubt && random.chance(0.5)));
    const took = takes && !this.#repeats(call, job);
    const now = performance.now();
    this.ledger.push({
      engine: call.engine,
      provider: call.provider,
      guarantee: guarantee(job.payload),
      jobId: job.id,
      batchId: job.batchId,
      attempt: job.attempt,
      key: call.key,
      members: call.jobs.map(({ id }) => id),
      possibleDuplicate: job.possibleDuplicate,
      took,
      atMs: now,
    });
    if (took) {
      const visibleAt = now + (this.healthy ? 0 : random.int(0, 200));
      this.#taken.set(job.id, { visibleAt, doneAt: visibleAt + (slow === true ? random.int(50, 900) : 0) });
      this.#remember(call.key, job.id);
    }
    return slow === true && verdict === 'ok' ? pending(`ref-${job.seq}`, 50) : answer(verdict, job, random);
  }

  /** A keyed vendor answers a repeat from memory. */
  #repeats(call: VendorCall, job: Job<ModelPayload>): boolean {
    const { guarantee } = modelProvider(call.provider);
    return guarantee(job.payload).kind === 'keyed' && this.#keys.get(call.key)?.has(job.id) === true;
  }

  #remember(key: string, jobId: string): void {
    const jobs = this.#keys.get(key) ?? new Set<string>();
    this.#keys.set(key, jobs.add(jobId));
  }
}

function answer(verdict: Verdict, job: Job<ModelPayload>, random: Random): JobResult | undefined {
  switch (verdict) {
    case 'ok':
      return succeeded(`ref-${job.seq}`);
    case 'retry':
      return retry('busy', random.chance(0.3) ? { afterMs: random.int(0, 300) } : {});
    case 'doubt':
      return retry('timeout', { possibleDuplicate: true });
    case 'failed':
      return failed('refused');
    case 'unknown':
      return unknown('no_idea');
    case 'throttled':
      return throttled(random.int(10, 200), random.chance(0.5) ? { scope: 'endpoint' } : {});
    case 'blocked':
      return blocked('quota_spent');
    case 'missing':
      return undefined;
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
