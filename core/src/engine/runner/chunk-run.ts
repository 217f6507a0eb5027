import type { JobResult, Resolution, Session } from '../../plugin/index.ts';
import type { Tuning } from '../api.ts';
import type { FullRetryPolicy } from '../decisions/backoff.ts';
import { endOfChunk, type Rest } from '../decisions/close.ts';
import { type Again, againData, eventData } from '../decisions/follow-up.ts';
import { type LostCall, type Settlement, settle, settleLost } from '../decisions/settle.ts';
import type { ChunkEnd, ChunkLease, NewEvent, RunStore } from '../store.ts';
import { ActiveCall, CallTimeoutError } from './active-call.ts';
import { CallQueue, type PlannedCall } from './call-queue.ts';
import { type ChunkWork, contextOf } from './chunk-load.ts';
import type { ConnectionGate, GateClient } from './gate.ts';
import { lateEvents, lateFromUnwritten } from './late.ts';
import { takeTokens } from './limiter.ts';
import { lostCall } from './lost.ts';
import { type BatchPlan, needsFence, type PreparedJob } from './prepare.ts';
import { Recorder } from './recorder.ts';
import { resolutionSettlement } from './resolution.ts';
import { isResolution, isResult, matchResults } from './results.ts';

/** Why a chunk starts no more calls. */
export type StopReason = 'slice' | 'waiting' | 'steered' | 'shutdown' | 'stale' | 'blocked' | 'lost';

export interface ChunkRunEnv {
  readonly store: RunStore;
  readonly tuning: Tuning;
  readonly plan: BatchPlan;
  readonly policy: FullRetryPolicy;
  readonly gate: ConnectionGate;
  readonly session: Session;
  readonly random: () => number;
  /** The monotonic clock, in milliseconds. */
  now(): number;
  /** E8: the last confirmed heartbeat is young enough to start calls. */
  leaseFresh(now: number): boolean;
  persist<T>(work: () => Promise<T>): Promise<T | undefined>;
  /** A mistake of the plugin: reported with its name. */
  violation(message: string): void;
  /** The provider threw; after ten times the same the connection is blocked (E18). */
  threw(error: unknown): void;
  blocked(result: Extract<JobResult, { status: 'blocked' }>): void;
  throttled(forMs: number): void;
}

interface Flight {
  readonly call: PlannedCall;
  readonly active: ActiveCall;
  done: boolean;
}

/** After an abort a provider has this long to say what happened, in milliseconds. */
const ABORT_GRACE_MS = 1_000;

/** Works on one leased chunk: starts its calls as slots, tokens and fences allow, and records the results. */
export class ChunkRun implements GateClient {
  readonly lease: ChunkLease;
  readonly leasedAt: number;
  readonly #env: ChunkRunEnv;
  readonly #recorder: Recorder;
  readonly #queue = new CallQueue();
  readonly #flights = new Set<Flight>();
  readonly #again: Again[] = [];
  /** Jobs whose fence stays open, by the second in which they are looked at again. */
  readonly #open = new Map<number, number[]>();
  readonly #done = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #reserved: PlannedCall[] = [];
  #preparing = false;
  #pumping = false;
  #stop: StopReason | undefined;
  #lastStart: number;
  #tokensAt = 0;
  #leaving = false;

  constructor(lease: ChunkLease, env: ChunkRunEnv) {
    this.lease = lease;
    this.#env = env;
    this.leasedAt = env.now();
    this.#lastStart = this.leasedAt;
    const { flushMs, flushSize } = env.tuning;
    const onLost = () => this.stop('lost');
    this.#recorder = new Recorder(lease, { store: env.store, flushMs, flushSize, persist: env.persist, onLost });
  }

  /** True when the chunk has been left: its row may say anything. */
  get ended(): boolean {
    return this.#leaving;
  }

  get connectionId(): string {
    return this.#env.plan.batch.connectionId;
  }

  get pluginName(): string {
    return this.#env.plan.pluginName;
  }

  /** True while the chunk only waits for calls that have started: it needs no slot of the runner. */
  get draining(): boolean {
    return this.#stop !== undefined || this.#queue.size === 0;
  }

  /** Resolves with the delay after which what was left is due, or undefined. */
  async run(work: ChunkWork): Promise<number | undefined> {
    this.#again.push(...work.again);
    for (const { seq, settlement } of work.settled) this.#record([this.#event(seq, settlement)]);
    for (const call of work.calls) this.#queue.add(call);
    this.#env.gate.join(this);
    this.pump();
    await this.#done.promise;
    this.#leaving = true;
    this.#env.gate.leave(this);
    try {
      return await this.#end();
    } finally {
      this.#ended.resolve();
    }
  }

  /** No call starts any more; those in flight go on. */
  stop(reason: StopReason): void {
    this.#stop ??= reason;
    this.#finishIfDone();
  }

  /** Aborts what is in flight. */
  abort(reason: Error): void {
    for (const flight of this.#flights) flight.active.abort(reason);
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { gate } = this.#env;
    const now = this.#env.now();
    while (this.#stop === undefined && this.#queue.size > 0 && now >= this.#tokensAt) {
      if (gate.blocked) this.#stop = 'blocked';
      else if (!this.#env.leaseFresh(now)) this.#stop = 'stale';
      else if (!this.#startNext(now)) break;
    }
    if (this.#reserved.length > 0 && !this.#preparing) this.#prepare().catch((error: unknown) => this.#giveUp(error));
    this.#pumping = false;
    this.#finishIfDone();
  }

  /** Called some times a second: deadlines, the time slice, and waits that are over. */
  tick(now: number): void {
    for (const flight of this.#flights) this.#watch(flight, now);
    if (this.#stop !== undefined || this.#queue.size === 0) return;
    const { sliceMs, startWithinMs } = this.#env.tuning;
    if (now - this.leasedAt > sliceMs) this.stop('slice');
    else if (now - this.#lastStart > startWithinMs) this.stop('waiting');
    else this.pump();
  }

  /** False if nothing can start now. */
  #startNext(now: number): boolean {
    const { gate, tuning, plan } = this.#env;
    const wait = (endpoint: string | undefined) => gate.waitMs(endpoint, now);
    const call = this.#queue.next(wait);
    if (call === undefined) {
      const shortest = this.#queue.shortestWaitMs(wait);
      if (shortest === undefined) gate.starved = true;
      else if (shortest > tuning.startWithinMs) this.#stop = 'waiting';
      return false;
    }
    gate.acquire(call.endpoint, now);
    this.#lastStart = now;
    const direct = call.kind === 'resolve' || (plan.provider.rates === undefined && !needsFence(call.guarantee));
    if (direct) this.#start(call, now);
    else this.#reserved.push(call);
    return true;
  }

  /** Tokens and fences for the calls that can start right now, taken for all of them at once (E7). */
  async #prepare(): Promise<void> {
    this.#preparing = true;
    while (this.#reserved.length > 0) {
      const calls = this.#reserved;
      this.#reserved = [];
      const { go, wait, waitMs } = await takeTokens(this.#env, calls);
      this.#putBack(wait);
      if (wait.length > 0) this.#waitForTokens(waitMs);
      const fenced = go.filter((call) => needsFence(call.guarantee));
      if (fenced.length > 0 && !(await this.#fence(fenced, 'attempted'))) {
        this.#putBack(go);
        this.stop('lost');
        break;
      }
      const now = this.#env.now();
      if (this.#env.gate.blocked) this.#stop ??= 'blocked';
      if (!this.#env.leaseFresh(now)) this.#stop = 'stale';
      if (this.#stop !== undefined && this.#stop !== 'slice' && this.#stop !== 'waiting') {
        if (fenced.length > 0) await this.#fence(fenced, 'released');
        this.#putBack(go);
      } else for (const call of go) this.#start(call, now);
    }
    this.#preparing = false;
    this.pump();
  }

  #waitForTokens(waitMs: number): void {
    this.#tokensAt = this.#env.now() + waitMs;
    if (waitMs > this.#env.tuning.startWithinMs) this.#stop ??= 'waiting';
    else setTimeout(() => this.pump(), waitMs);
  }

  #putBack(calls: readonly PlannedCall[]): void {
    for (const call of calls) {
      this.#env.gate.giveUp(call.endpoint);
      this.#queue.add(call);
    }
  }

  async #fence(calls: readonly PlannedCall[], kind: 'attempted' | 'released', note?: unknown): Promise<boolean> {
    const events = calls.flatMap((call) => {
      const data: Record<string, unknown> = {};
      if (kind === 'attempted' && call.jobs.length > 1) data['call'] = call.idempotencyKey;
      if (note !== undefined) data['note'] = note;
      const text = Object.keys(data).length === 0 ? null : JSON.stringify(data);
      return call.jobs.map((job): NewEvent => ({ seq: job.job.seq, kind, data: text }));
    });
    return (await this.#env.persist(() => this.#env.store.fence(this.lease, events))) === true;
  }

  #start(call: PlannedCall, now: number): void {
    const note = (data: unknown) => this.#fence([call], 'attempted', data);
    const active = new ActiveCall(call.idempotencyKey, this.lease.attempt, call.timeoutMs, now, note);
    const flight: Flight = { call, active, done: false };
    this.#flights.add(flight);
    try {
      const answer = this.#invoke(call, active);
      if (isThenable(answer)) {
        answer.then(
          (value) => this.#answered(flight, value),
          (error: unknown) => this.#threw(flight, error),
        );
      } else this.#answered(flight, answer);
    } catch (error) {
      this.#threw(flight, error);
    }
  }

  #invoke(call: PlannedCall, active: ActiveCall): unknown {
    const { session } = this.#env;
    if (call.kind === 'resolve') {
      if (session.resolve === undefined) throw new Error('the provider has pending or reconcilable jobs but no resolve()');
      const fences = call.fences ?? [];
      const jobs = call.jobs.map(({ job }, index) => {
        const { ref, note, ageMs } = fences[index] ?? { ageMs: 0 };
        return { ...job, ageMs, ...(ref === undefined ? {} : { ref }), ...(note === undefined ? {} : { note: note as string }) };
      });
      return session.resolve(jobs, active);
    }
    if (session.process !== undefined) return session.process((call.jobs[0] as PreparedJob).job, active);
    return session.processBatch(
      call.jobs.map(({ job }) => job),
      active,
    );
  }

  #answered(flight: Flight, answer: unknown): void {
    const { call } = flight;
    if (call.kind === 'resolve') return this.#resolved(flight, answer);
    if (this.#env.session.process !== undefined) {
      const result = isResult(answer) ? answer : undefined;
      if (result === undefined) this.#env.violation('process() returned no result');
      return this.#settled(flight, [result]);
    }
    const ids = call.jobs.map(({ job }) => job.id);
    const { results, violation } = matchResults(ids, answer, isResult);
    if (violation !== undefined) this.#env.violation(`processBatch(): ${violation}`);
    this.#settled(flight, results);
  }

  #settled(flight: Flight, results: readonly (JobResult | undefined)[]): void {
    if (flight.done) {
      this.#late(flight, results);
      return;
    }
    const { call } = flight;
    this.#env.gate.throws.count = 0;
    const missing: JobResult = { status: 'unknown', code: 'missing_result', message: 'The provider gave no result for this job' };
    const events = call.jobs.map((prepared, index) => {
      const result = results[index] ?? missing;
      this.#effects(call, result);
      const context = contextOf(this.lease, this.#env.policy, { prepared, guarantee: call.guarantee });
      return this.#event(prepared.job.seq, settle(result, { ...context, fences: context.fences + 1 }));
    });
    const working = results.some((result) => result !== undefined && result.status !== 'retry' && result.status !== 'unknown');
    this.#land(flight, events, working);
  }

  #resolved(flight: Flight, answer: unknown): void {
    const { call } = flight;
    if (flight.done) return;
    const ids = call.jobs.map(({ job }) => job.id);
    const { results, violation } = matchResults<Resolution>(ids, answer, isResolution);
    if (violation !== undefined) this.#env.violation(`resolve(): ${violation}`);
    const events: NewEvent[] = [];
    call.jobs.forEach((prepared, index) => {
      const context = contextOf(this.lease, this.#env.policy, { prepared, guarantee: call.guarantee });
      const decision = resolutionSettlement(results[index], context, call.fences?.[index]);
      if (decision === 'call') this.#queue.add({ ...call, kind: 'call', jobs: [prepared], idempotencyKey: prepared.job.id });
      else events.push(...this.#event(prepared.job.seq, decision));
      const result = results[index];
      if (isResult(result)) this.#effects(call, result);
    });
    this.#land(flight, [events], true);
    this.pump();
  }

  #threw(flight: Flight, error: unknown): void {
    if (flight.done) return;
    const lost = lostCall(error, flight.active.reason);
    if (flight.active.reason === undefined) this.#env.threw(error);
    this.#lose(flight, lost);
  }

  #lose(flight: Flight, lost: LostCall): void {
    const { call } = flight;
    const events = call.jobs.map((prepared, index) => {
      const context = contextOf(this.lease, this.#env.policy, { prepared, guarantee: call.guarantee });
      if (call.kind === 'resolve') {
        const decision = resolutionSettlement(undefined, context, call.fences?.[index]);
        return decision === 'call' ? [] : this.#event(prepared.job.seq, decision);
      }
      return this.#event(prepared.job.seq, settleLost(lost, { ...context, fences: context.fences + 1 }));
    });
    this.#land(flight, events, false);
  }

  /** What a result means for others than its job. */
  #effects(call: PlannedCall, result: JobResult): void {
    if (result.status === 'blocked') {
      this.#env.blocked(result);
      this.#stop ??= 'blocked';
    } else if (result.status === 'throttled') {
      if (result.scope === 'endpoint' && call.endpoint !== undefined) {
        this.#env.gate.openCircuit(call.endpoint, result.afterMs, this.#env.now());
      } else this.#env.throttled(result.afterMs);
    }
  }

  #event(seq: number, settlement: Settlement): NewEvent[] {
    if (settlement.kind === 'open') {
      const second = Math.ceil(settlement.checkAfterMs / 1_000);
      const list = this.#open.get(second);
      if (list === undefined) this.#open.set(second, [seq]);
      else list.push(seq);
      return settlement.data === null ? [] : [{ seq, kind: 'attempted', data: JSON.stringify(settlement.data) }];
    }
    const { kind, afterMs, uncertain } = settlement;
    if (kind === 'retried' || kind === 'postponed') {
      const again: Again = { seq, spent: kind === 'retried', afterMs, uncertain: uncertain === true };
      this.#again.push(again);
      return [{ seq, kind, data: againData(settlement.data, again) }];
    }
    return [{ seq, kind, data: eventData(settlement.data) }];
  }

  #record(lists: readonly (readonly NewEvent[])[]): void {
    for (const events of lists) this.#recorder.add(events);
  }

  #land(flight: Flight, events: readonly (readonly NewEvent[])[], working: boolean): void {
    flight.done = true;
    this.#flights.delete(flight);
    const { gate } = this.#env;
    gate.release(flight.call.endpoint, working, this.#env.now());
    this.#record(events);
    if (!this.#finishIfDone()) this.#recorder.schedule();
    if (!this.#pumping) gate.wake();
  }

  #watch(flight: Flight, now: number): void {
    const { active } = flight;
    if (now >= active.deadline) active.abort(new CallTimeoutError(active.timeoutMs));
    if (active.reason !== undefined && now >= active.deadline + ABORT_GRACE_MS && !flight.done) {
      this.#lose(flight, lostCall(undefined, active.reason));
    }
  }

  /** Aborted calls that did not end are taken for lost. */
  loseAll(): void {
    for (const flight of this.#flights) this.#lose(flight, lostCall(undefined, flight.active.reason));
  }

  #late(flight: Flight, results: readonly (JobResult | undefined)[]): void {
    const events = lateEvents(flight.call, results);
    if (events.length === 0) return;
    // After the flush that took the call for lost: only what the log holds can be settled by it.
    void this.#ended.promise.then(() => this.#env.persist(() => this.#env.store.recordLate(this.lease, events)));
  }

  /** The database failed for as long as the lease lasts: another runner takes over. */
  #giveUp(error: unknown): void {
    this.#preparing = false;
    this.#env.violation(`internal: ${(error as Error).message}`);
    this.stop('lost');
  }

  #finishIfDone(): boolean {
    if (this.#pumping || this.#preparing || this.#reserved.length > 0 || this.#flights.size > 0) return false;
    if (this.#stop === undefined && this.#queue.size > 0) return false;
    this.#done.resolve();
    return true;
  }

  async #end(): Promise<number | undefined> {
    const end = this.#ending();
    const kept = await this.#recorder.end(end);
    if (!kept) {
      const late = lateFromUnwritten(this.#recorder.unwritten);
      if (late.length > 0) await this.#env.persist(() => this.#env.store.recordLate(this.lease, late));
      return undefined;
    }
    if (end.kind === 'giveBack') return end.dueInMs;
    if (end.kind === 'close' && end.chunks.length > 0) return Math.min(...end.chunks.map((chunk) => chunk.dueInMs));
    return undefined;
  }

  #ending(): ChunkEnd {
    const { policy, random } = this.#env;
    const { attempt, spent, uncertain } = this.lease;
    return endOfChunk(this.#rest(), this.#again, { attempt, spent, uncertain, policy, random });
  }

  #rest(): Rest[] {
    const now = this.#env.now();
    const bySecond = new Map([...this.#open].map(([second, seqs]) => [second, [...seqs]]));
    for (const call of this.#queue.drain()) {
      const second = Math.ceil(this.#dueInMs(call, now) / 1_000);
      const seqs = call.jobs.map(({ job }) => job.seq);
      bySecond.set(second, [...(bySecond.get(second) ?? []), ...seqs]);
    }
    return [...bySecond].map(([second, seqs]) => ({ seqs: seqs.sort((a, b) => a - b), dueInMs: second * 1_000 }));
  }

  #dueInMs(call: PlannedCall, now: number): number {
    if (this.#stop !== 'waiting') return 0;
    const wait = this.#env.gate.waitMs(call.endpoint, now);
    return Math.max(wait ?? this.#env.tuning.startWithinMs, this.#tokensAt - now, 0);
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
