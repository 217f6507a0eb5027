import type { JobResult } from '../../plugin/index.ts';
import type { ChunkEnd, ChunkLease } from '../store.ts';
import { ActiveCall, type WriteNote } from './active-call.ts';
import { affectsOthers } from './affect-others.ts';
import { CallQueue, type PlannedCall, type WaitMs } from './call-queue.ts';
import {
  type Judge,
  type Landed,
  landLost,
  landResolutions,
  landResults,
  readAnswer,
  readResolutions,
} from './call-results.ts';
import { CallStarter } from './call-starter.ts';
import type { ChunkWork } from './chunk-load.ts';
import { ChunkOutcome, nextDueMs } from './chunk-outcome.ts';
import type { ChunkRunEnv, StopReason } from './chunk-run-env.ts';
import { type Flight, isOverdue } from './flight.ts';
import { invoke, isThenable } from './invoke.ts';
import { type FencedHost, landFenced } from './land-fenced.ts';
import { lateEvents, lateFromUnwritten } from './late.ts';
import { supplyOf } from './later-jobs.ts';
import { lostCall } from './lost.ts';
import { type BatchPlan, holdsSlot, needsFence } from './prepare.ts';
import { Recorder } from './recorder.ts';
import { isResult } from './results.ts';
import type { GateClient } from './turns.ts';

/** Works on one leased chunk: starts its calls as slots, tokens and fences allow, and records the results. */
export class ChunkRun implements GateClient {
  readonly lease: ChunkLease;
  readonly batch: BatchPlan['batch'];
  readonly leasedAt: number;
  /** True when its results and its end are in the log. */
  kept = false;
  /** True when the chunk has been left: its row may say anything. */
  ended = false;
  readonly plan: BatchPlan;
  readonly #env: ChunkRunEnv;
  readonly #recorder: Recorder;
  readonly #queue: CallQueue;
  readonly #flights = new Set<Flight>();
  readonly #judge: Judge;
  readonly #starter: CallStarter;
  readonly #note: WriteNote = (call, data) => this.#starter.write([call], 'attempted', data);
  readonly #fenced: FencedHost;
  readonly #done = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  #pumping = false;
  #stop: StopReason | undefined;
  #lastStart: number;
  #tokensAt = 0;

  constructor(lease: ChunkLease, work: ChunkWork, env: ChunkRunEnv) {
    this.lease = lease;
    this.batch = env.plan.batch;
    this.#env = env;
    this.leasedAt = env.now();
    this.plan = env.plan;
    this.#lastStart = this.leasedAt;
    const outcome = new ChunkOutcome(env.plan.connection.hide);
    this.#judge = { lease, policy: env.policy, outcome };
    this.#starter = new CallStarter(lease, env, {
      putBack: (calls) => this.#putBack(calls),
      fence: (events) => this.#recorder.fence(events),
      start: (call, now) => this.#start(call, now),
      waitForTokens: (waitMs) => this.#waitForTokens(waitMs),
      mayStart: (now) => this.#mayStart(now),
      onLost: (error) => {
        if (error !== undefined) env.violation(`a call could not be started: ${(error as Error).message}`);
        this.stop('lost');
      },
      onIdle: () => this.pump(),
    });
    this.#recorder = new Recorder(lease, { ...env, ...env.tuning, onLost: () => this.stop('lost') });
    const follower = (endpoint: string | undefined, now: number) => this.#follower(endpoint, now);
    const begin = (call: PlannedCall, now: number) => this.#begin(call, now);
    const onFree = () => this.#pumping || env.gate.wake();
    this.#fenced = { gate: env.gate, recorder: this.#recorder, follower, begin, onFree };
    this.#recorder.add(outcome.begin(work));
    this.#queue = new CallQueue(supplyOf(work.later, (jobs) => this.#recorder.add(outcome.settle(jobs))));
    for (const call of work.calls) this.#queue.add(call);
  }

  /** True while the chunk only waits for calls that have started: it needs no slot of the runner. */
  get draining(): boolean {
    return this.#stop !== undefined || this.#queue.size === 0;
  }

  get hungry(): boolean {
    return this.#env.now() - this.#lastStart > this.#env.tuning.startWithinMs / 4;
  }

  /** Resolves with the delay after which what was left is due, or undefined. */
  async run(): Promise<number | undefined> {
    this.#env.gate.join(this);
    this.pump();
    await this.#done.promise;
    this.ended = true;
    this.#env.gate.leave(this);
    try {
      return await this.#end();
    } finally {
      this.#left.resolve();
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
    const wait: WaitMs = (endpoint) => gate.waitMs(endpoint, now);
    while (this.#stop === undefined && this.#queue.size > 0 && now >= this.#tokensAt) {
      if (gate.blocked) this.#stop = 'blocked';
      else if (!this.#env.leaseFresh(now)) this.#stop = 'stale';
      else if (!this.#startNext(now, wait)) break;
    }
    if (!this.#starter.idle) void this.#starter.run();
    this.#pumping = false;
    // Not before: the results of calls that end at once go into one flush.
    if (!this.#finishIfDone()) this.#recorder.schedule();
  }

  /** Called some times a second: deadlines, the time slice, and waits that are over. */
  tick(now: number): void {
    for (const flight of this.#flights) if (isOverdue(flight, now)) this.#threw(flight, undefined);
    if (this.#stop !== undefined || this.#queue.size === 0) return;
    const { sliceMs, startWithinMs } = this.#env.tuning;
    if (now - this.leasedAt > sliceMs) this.stop('slice');
    else if (now - this.#lastStart > startWithinMs) this.stop('waiting');
    else this.pump();
  }

  /** False if nothing can start now. */
  #startNext(now: number, wait: WaitMs): boolean {
    const { gate, tuning } = this.#env;
    const call = this.#queue.next(wait, () => gate.hasRoom(now) && this.hungry);
    if (call === undefined) {
      if (this.#queue.size === 0) return false;
      const shortest = this.#queue.shortestWaitMs(wait);
      if (shortest === undefined) gate.starved = true;
      else if (shortest > tuning.startWithinMs) this.#stop = 'waiting';
      return false;
    }
    gate.acquire(call.endpoint, now);
    this.#begin(call, now);
    return true;
  }

  /** Starts a call that has its slot, or hands it to the starter if it needs tokens or a fence first. */
  #begin(call: PlannedCall, now: number): void {
    this.#lastStart = now;
    const prepared = this.plan.rates !== undefined || needsFence(call.guarantee);
    if (prepared && call.kind === 'call') this.#starter.reserve(call);
    else this.#start(call, now);
  }

  #follower(endpoint: string | undefined, now: number): PlannedCall | undefined {
    if (this.#stop !== undefined || now < this.#tokensAt) return undefined;
    if (!this.#queue.has(endpoint) || !this.#env.gate.handOver(endpoint, now)) return undefined;
    return this.#queue.nextOf(endpoint);
  }

  #mayStart(now: number): boolean {
    if (this.#env.gate.blocked) this.#stop ??= 'blocked';
    if (!this.#env.leaseFresh(now)) this.#stop = 'stale';
    return this.#stop === undefined || this.#stop === 'slice' || this.#stop === 'waiting';
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

  #start(call: PlannedCall, now: number): void {
    const active = new ActiveCall(call, this.lease.attempt, now, this.#note);
    const flight: Flight = { call, active, done: false };
    const ended = (answer: unknown) =>
      call.kind === 'resolve' ? this.#resolved(flight, answer) : this.#answered(flight, answer);
    try {
      const answer = invoke(this.#env.session, call, active);
      if (isThenable(answer)) {
        this.#flights.add(flight);
        answer.then(ended, (error: unknown) => this.#threw(flight, error));
      } else ended(answer);
    } catch (error) {
      this.#threw(flight, error);
    }
  }

  #answered(flight: Flight, answer: unknown): void {
    const { call } = flight;
    const { gate, session } = this.#env;
    const { results, violation } = readAnswer(call, answer, session.process !== undefined);
    if (violation !== undefined) this.#env.violation(violation);
    if (flight.done) {
      this.#late(flight, results);
      return;
    }
    gate.throws.count = 0;
    for (const result of results) if (affectsOthers(this.#env, call, result)) this.#stop ??= 'blocked';
    this.#land(flight, landResults(this.#judge, call, results, flight.active.noted));
  }

  #resolved(flight: Flight, answer: unknown): void {
    if (flight.done) return;
    const { results, violation } = readResolutions(flight.call, answer);
    if (violation !== undefined) this.#env.violation(`resolve(): ${violation}`);
    for (const result of results) {
      if (isResult(result) && affectsOthers(this.#env, flight.call, result)) this.#stop ??= 'blocked';
    }
    this.#land(flight, landResolutions(this.#judge, flight.call, results));
  }

  #threw(flight: Flight, error: unknown): void {
    if (flight.done) return;
    if (flight.active.reason === undefined) this.#env.threw(error);
    this.#land(flight, landLost(this.#judge, flight.call, lostCall(error, flight.active.reason)));
  }

  #land(flight: Flight, landed: Landed): void {
    flight.done = true;
    this.#flights.delete(flight);
    const { call } = flight;
    const held = call.kind === 'call' && holdsSlot(call.guarantee);
    const now = this.#env.now();
    if (held) landFenced(this.#fenced, call, landed, now);
    else {
      this.#recorder.add(landed.events);
      this.#env.gate.release(call.endpoint, landed.working, now);
    }
    for (const repeat of landed.repeats) this.#queue.add(repeat);
    if (landed.repeats.length > 0) this.pump();
    if (this.#pumping) return;
    if (!this.#starter.idle) void this.#starter.run();
    if (!this.#finishIfDone()) this.#recorder.schedule();
    if (!held) this.#env.gate.wakeSoon();
  }

  loseAll(): void {
    for (const flight of this.#flights) this.#threw(flight, undefined);
  }

  #late(flight: Flight, results: readonly (JobResult | undefined)[]): void {
    const events = lateEvents(flight.call, results);
    if (events.length === 0) return;
    // After the flush that took the call for lost: only what the log holds can be settled by it.
    void this.#left.promise.then(() =>
      this.#env.persist(() => this.#env.store.recordLate(this.lease, events)),
    );
  }

  #finishIfDone(): boolean {
    if (this.#pumping || !this.#starter.idle || this.#flights.size > 0 || !this.draining) return false;
    this.#done.resolve();
    return true;
  }

  async #end(): Promise<number | undefined> {
    const end = this.#ending();
    this.kept = await this.#recorder.end(end);
    if (!this.kept) {
      const late = lateFromUnwritten(this.#recorder.unwritten);
      if (late.length > 0) await this.#env.persist(() => this.#env.store.recordLate(this.lease, late));
      return undefined;
    }
    return nextDueMs(end);
  }

  #ending(): ChunkEnd {
    const { gate, tuning, policy, random } = this.#env;
    const now = this.#env.now();
    const dueInMs = ({ endpoint }: PlannedCall) =>
      this.#stop === 'waiting'
        ? Math.max(gate.waitMs(endpoint, now) ?? tuning.startWithinMs, this.#tokensAt - now, 0)
        : 0;
    return this.#judge.outcome.end(this.#queue.drain(), dueInMs, this.lease, policy, random);
  }
}
