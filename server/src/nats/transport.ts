import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkRef, Consumption, Transport, TransportConsumer } from '@batchsender/core';
import type { Logger } from '@batchsender/core/plugin';
import { JetStreamApiError } from '@nats-io/jetstream';
import { type NatsConnection, nuid, TimeoutError } from '@nats-io/transport-node';
import type { NatsSettings } from '../settings/nats.ts';
import { connectOptions } from './connect-options.ts';
import { explainNats, type NatsProblem } from './explain.ts';
import { HintStream, subjectOf } from './hint-stream.ts';
import { Link } from './link.ts';
import { Puller } from './puller.ts';

const PUBLISH_MS = 2_000;
const ENSURE_RETRY_MS = 1_000;
/** A stream that refuses so many references in a row is made again, but not more often than this. */
const MOST_REFUSALS = 3;
const REMAKE_MS = 10_000;
/** What was sent last gets this long to leave when the transport closes. */
const FLUSH_MS = 500;

/** NATS is not connected, or its stream cannot be made. */
class NatsUnavailableError extends Error {
  override readonly name = 'NatsUnavailableError';
  readonly code = 'nats_unavailable';
}

/** References over NATS JetStream, to the runners of all processes. */
export class NatsTransport implements Transport {
  readonly shared = {
    ready: () => this.#stream !== undefined,
    signal: (inMs: number) => this.#signal(inMs),
    onSignal: (handle: (inMs: number) => void) => {
      this.#onSignal = handle;
      if (this.#nc !== undefined) this.#subscribe(this.#nc);
    },
  };
  readonly #settings: NatsSettings;
  readonly #logger: Logger;
  readonly #link: Link;
  readonly #pullers: Puller[] = [];
  #nc: NatsConnection | undefined;
  /** Set while the stream is there. */
  #stream: HintStream | undefined;
  #subscribed: NatsConnection | undefined;
  #onSignal: ((inMs: number) => void) | undefined;
  #problem: string | undefined;
  #onProblem: ((problem: NatsProblem) => void) | undefined;
  #ensuring: Promise<void> | undefined;
  /** References in a row that the stream refused although it is there. */
  #refusals = 0;
  #remadeAt = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(settings: NatsSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#link = new Link({
      connection: connectOptions(settings),
      onUp: (nc) => this.#up(nc),
      onDown: () => this.#down(),
      onError: (error) => this.#tell(explainNats(error, settings)),
    });
  }

  /** Makes the first try. Answers what is wrong, if something is; then it goes on trying. */
  async open(): Promise<NatsProblem | undefined> {
    let first: NatsProblem | undefined;
    this.#onProblem = (problem) => {
      first ??= problem;
    };
    await this.#link.open();
    if (first === undefined) await this.#ensuring;
    this.#onProblem = undefined;
    return first;
  }

  async publish(refs: readonly ChunkRef[]): Promise<void> {
    await Promise.all(refs.map((ref) => this.#publish(ref)));
  }

  async consume(consumer: TransportConsumer): Promise<Consumption> {
    const pullers = Object.entries(consumer.versions).flatMap(([type, newest]) =>
      Array.from({ length: newest }, (_, older) => this.#puller(consumer, type, newest - older)),
    );
    this.#pullers.push(...pullers);
    return {
      roomy: () => {
        for (const puller of pullers) puller.kick();
      },
      end: async () => {
        await Promise.all(pullers.map((puller) => puller.end()));
      },
    };
  }

  async close(): Promise<void> {
    this.#ended = true;
    const flushed = this.#nc?.flush().catch(() => undefined);
    const ended = this.#pullers.map((puller) => puller.end());
    await Promise.race([flushed, sleep(FLUSH_MS)]);
    this.#stream = undefined;
    await this.#link.close();
    await Promise.all(ended);
  }

  #puller(consumer: TransportConsumer, type: string, moduleVersion: number): Puller {
    return new Puller({
      consumer,
      open: async () => this.#ready().consumer(type, moduleVersion),
      onSilence: async (stuck) => this.#stream?.dropIfStuck(stuck),
      onTrouble: () => {
        this.#stream?.forget();
        this.#recheck();
      },
    });
  }

  /** A repeat of a hint has another id than the hint: the server must not take it for a duplicate. */
  async #publish(ref: ChunkRef): Promise<void> {
    const { stream } = this.#settings;
    const subject = subjectOf(stream, ref.type, ref.moduleVersion);
    const options = { msgID: `${ref.chunkId}.${nuid.next()}`, timeout: PUBLISH_MS };
    try {
      await this.#ready().client.publish(subject, JSON.stringify(ref), options);
      this.#refusals = 0;
    } catch (error) {
      // With some servers a stream without its files does not even refuse: it is silent.
      if (error instanceof JetStreamApiError || error instanceof TimeoutError) this.#refusals += 1;
      this.#recheck();
      throw error;
    }
  }

  #ready(): HintStream {
    if (this.#stream === undefined) throw new NatsUnavailableError('NATS is away');
    return this.#stream;
  }

  #up(nc: NatsConnection): void {
    this.#nc = nc;
    if (this.#onSignal !== undefined) this.#subscribe(nc);
    this.#recheck();
  }

  #down(): void {
    this.#nc = undefined;
    this.#stream = undefined;
    for (const puller of this.#pullers) puller.restart();
    if (!this.#ended) {
      this.#tell({ message: `NATS at ${this.#settings.servers.join(', ')} is gone.`, isForGood: false });
    }
  }

  /** Looks whether the stream is there, and makes it if not, until that works or the connection is gone. */
  #recheck(): void {
    const nc = this.#nc;
    if (nc === undefined || this.#ended) return;
    this.#ensuring ??= this.#ensure(nc).finally(() => {
      this.#ensuring = undefined;
    });
  }

  async #ensure(nc: NatsConnection): Promise<void> {
    const stream = this.#stream ?? new HintStream(nc, this.#settings);
    try {
      if (this.#refusals < MOST_REFUSALS) await stream.ensure();
      else await this.#remake(stream);
      if (this.#nc !== nc) return;
      if (this.#stream === undefined) {
        this.#stream = stream;
        for (const puller of this.#pullers) puller.kick();
      }
      this.#tell(undefined);
    } catch (error) {
      this.#stream = undefined;
      if (this.#nc === nc) this.#tell(explainNats(error, this.#settings));
      setTimeout(() => this.#recheck(), ENSURE_RETRY_MS).unref();
    }
  }

  /** The stream is there, but takes nothing. Not ready meanwhile, so that runners are served without it. */
  async #remake(stream: HintStream): Promise<void> {
    this.#stream = undefined;
    const waitMs = this.#remadeAt + REMAKE_MS - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
    this.#remadeAt = performance.now();
    await stream.remake();
    this.#refusals = 0;
  }

  #signal(inMs: number): void {
    this.#nc?.publish(`${this.#settings.stream}.wake`, String(Math.round(inMs)));
  }

  #subscribe(nc: NatsConnection): void {
    // The client keeps a subscription over its reconnections.
    if (this.#subscribed === nc) return;
    this.#subscribed = nc;
    nc.subscribe(`${this.#settings.stream}.wake`, {
      callback: (error, message) => {
        const inMs = Number(message?.string());
        if (error === null && Number.isFinite(inMs) && inMs >= 0) this.#onSignal?.(inMs);
      },
    });
  }

  /** Each problem once, until there is another one or none. */
  #tell(problem: NatsProblem | undefined): void {
    if (this.#ended || problem?.message === this.#problem) return;
    if (problem === undefined) this.#logger.info({}, 'NATS is connected');
    else this.#logger.warn({}, `${problem.message} Trying again until it works.`);
    this.#problem = problem?.message;
    if (problem !== undefined) this.#onProblem?.(problem);
  }
}
