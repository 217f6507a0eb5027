import { randomUUID } from 'node:crypto';
import { payloadCheck } from '../engine/intake/payload-check.ts';
import { isThenable } from '../engine/runner/invoke.ts';
import type { Guarantee, Job, JobPayload, JsonObject, Module, Provider, Session } from '../plugin/index.ts';
import { ConformanceError, violated } from './conformance-error.ts';
import { type FakeCall, fakeCall } from './fake-call.ts';
import { type FakeOpenContext, fakeOpenContext } from './fake-context.ts';
import { answered, invoke, keyOf, type MadeCall, threw } from './made-call.ts';
import type { Behaviour, ConformanceOptions } from './options.ts';
import { within } from './within.ts';

/** A session with all that belongs to it. */
export interface Opened {
  readonly session: Session;
  readonly context: FakeOpenContext;
}

export interface CallSettings {
  readonly attempt?: number;
  /** The same jobs as in an earlier call. */
  readonly jobs?: readonly Job[];
  /** Is called while the provider works. */
  readonly during?: (call: FakeCall) => void;
}

/** What all cases share: the provider under test, and ways to call it as the engine does. */
export class Rig {
  readonly options: ConformanceOptions;
  readonly module: Module;
  readonly provider: Provider;
  readonly timeoutMs: number;
  readonly batchSize: number;
  #seq = 0;
  #closes = true;

  constructor(options: ConformanceOptions, module: Module, provider: Provider) {
    this.options = options;
    this.module = module;
    this.provider = provider;
    this.timeoutMs = options.timeoutMs ?? 10_000;
    this.batchSize = provider.batchSize ?? 1;
  }

  /** Payloads for one call: two where a call may hold many. */
  get few(): readonly JobPayload[] {
    return this.batchSize === 1 ? [this.payload] : [this.payload, this.payload];
  }

  /** The first sample. */
  get payload(): JobPayload {
    return this.options.payloads[0] as JobPayload;
  }

  get credentials(): never {
    return this.options.credentials as never;
  }

  guarantee(payload: JobPayload = this.payload): Guarantee {
    const { guarantee } = this.provider;
    return typeof guarantee === 'function' ? guarantee(this.credentials, payload) : guarantee;
  }

  problems(payload: JobPayload): string[] {
    const found = payloadCheck(this.module)(payload) ?? [];
    return found.map(({ path, message }) => `${path || '/'} ${message}`);
  }

  /** Tells the vendor's server how to behave from now on. */
  async set(behaviour: Behaviour): Promise<void> {
    await this.options.respond?.[behaviour]?.();
  }

  /** Requests that the vendor got, if its server counts them. */
  get arrived(): number | undefined {
    return this.options.respond?.calls?.();
  }

  /** A session of its own, without closing it. The vendor's server takes every job until it is told otherwise. */
  async open(credentials: JsonObject = this.options.credentials): Promise<Opened> {
    await this.set('accept');
    const context = fakeOpenContext(this.options.context);
    const own = structuredClone(credentials) as never;
    const session = await this.#limited(this.provider.open(own, context), 'open()');
    return { session, context };
  }

  /** Closes a session as the engine does. */
  async close({ session }: Opened): Promise<void> {
    if (session.close === undefined) return;
    this.#closes = false;
    await within(
      2_000,
      session.close(),
      'close() did not end within 2 s, with nothing in flight: destroy the sockets',
    );
    this.#closes = true;
  }

  /** Closes a session whatever comes of it: a close() that does not end is the matter of one case. */
  async leave(opened: Opened): Promise<void> {
    if (this.#closes) await this.close(opened).catch(() => undefined);
  }

  /** Opens a session, works with it and closes it, also after an error. */
  async use<T>(work: (opened: Opened) => Promise<T>, credentials?: JsonObject): Promise<T> {
    const opened = await this.open(credentials).catch((error: unknown) => {
      if (error instanceof ConformanceError) throw error;
      return violated(
        `open() threw ${String(error)}: it must succeed with the credentials of the suite`,
        error,
      );
    });
    try {
      return await work(opened);
    } finally {
      await this.leave(opened);
    }
  }

  job(payload: JobPayload, batchId: string = randomUUID()): Job {
    const seq = this.#seq++;
    const own = structuredClone(payload);
    return { id: `${batchId}.${seq}`, batchId, seq, payload: own, attempt: 1, possibleDuplicate: false };
  }

  /** Makes one call for these payloads, as the engine does. Never rejects for what the provider does, but if it takes too long. */
  async call(
    { session }: Opened,
    payloads: readonly JobPayload[],
    settings: CallSettings = {},
  ): Promise<MadeCall> {
    const { attempt = 1, during } = settings;
    const batchId = randomUUID();
    const jobs = settings.jobs ?? payloads.map((payload) => this.job(payload, batchId));
    const call = fakeCall({ idempotencyKey: keyOf(jobs), attempt, timeoutMs: this.timeoutMs });
    const sent = jobs.map((job) => ({ ...job, attempt, possibleDuplicate: attempt > 1 }));
    const parts = { jobs: sent, call };
    try {
      const answer = invoke(session, parts);
      during?.(call);
      // Without a promise the engine takes the answer at once; so it does here.
      return answered(parts, isThenable(answer) ? await this.#limited(answer, 'the call') : answer, session);
    } catch (error) {
      if (error instanceof ConformanceError) throw error;
      return threw(parts, error);
    }
  }

  /** One call for one job of the first sample, in a session of its own. */
  one(behaviour: Behaviour, settings: CallSettings = {}): Promise<MadeCall> {
    return this.use(async (opened) => {
      await this.set(behaviour);
      return this.call(opened, [this.payload], settings);
    });
  }

  #limited<T>(work: T | PromiseLike<T>, what: string): Promise<T> {
    const remedy = 'end it on its own, or allow more by timeoutMs of the suite';
    return within(this.timeoutMs, work, `${what} did not end within ${this.timeoutMs} ms: ${remedy}`);
  }
}
