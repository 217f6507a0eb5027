import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { NatsSettings } from '../settings/nats.ts';
import { StreamProblem } from './explain.ts';

/** A hint that is older than the engine's 10 seconds was sent again: it goes away. */
const MAX_AGE_MS = 15_000;
const DEDUP_MS = 5_000;
const MAX_MESSAGES = 100_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** A process that died between delivery and ack costs this much, not the engine's 10 seconds. */
const ACK_WAIT_MS = 5_000;
const MAX_ACK_PENDING = 5_000;
/** Consumers of job types that nobody runs any more go away by themselves. */
const UNUSED_MS = 24 * 60 * 60 * 1_000;
const REQUEST_MS = 5_000;
const SETTLE_MS = 300;

const CONSUMER_EXISTS = new Set([10_148, 10_013, 10_105]);
const STREAM_NOT_FOUND = 10_059;

/** The subject of the hints of one job type, in one version of its module. */
export const subjectOf = (stream: string, type: string, moduleVersion: number): string =>
  `${stream}.chunk.${type}.${moduleVersion}`;

/**
 * The stream of hints on one connection. It holds no truth: what is full, old or lost is hinted
 * again. So the oldest hints make room for new ones, and whatever is gone is made again.
 */
export class HintStream {
  readonly client: JetStreamClient;
  readonly #settings: NatsSettings;
  readonly #nc: NatsConnection;
  #manager: Promise<JetStreamManager> | undefined;
  #ensuring: Promise<void> | undefined;
  readonly #consumers = new Map<string, Promise<Consumer>>();

  constructor(nc: NatsConnection, settings: NatsSettings) {
    this.#nc = nc;
    this.#settings = settings;
    this.client = jetstream(nc, { timeout: REQUEST_MS });
  }

  /** Makes the stream if it is not there. Those who ask at once share the answer. */
  ensure(): Promise<void> {
    this.#ensuring ??= this.#ensure().finally(() => {
      this.#ensuring = undefined;
    });
    return this.#ensuring;
  }

  /** The consumer of one type and version, made if it is not known to be there. */
  consumer(type: string, moduleVersion: number): Promise<Consumer> {
    const config = consumerConfig(this.#settings.stream, type, moduleVersion);
    const known = this.#consumers.get(config.durable_name);
    if (known !== undefined) return known;
    const made = this.#consumer(config);
    this.#consumers.set(config.durable_name, made);
    made.catch(() => this.forget());
    return made;
  }

  /** Deletes the stream and makes it again: its files are broken, or were taken away under the server. */
  async remake(): Promise<void> {
    const { streams } = await this.#open();
    this.forget();
    await streams.delete(this.#settings.stream).catch(undefinedIf(STREAM_NOT_FOUND));
    await this.ensure();
  }

  /** Deletes a consumer that has references and delivers none; it is made again when it is used. */
  async dropIfStuck(consumer: Consumer): Promise<void> {
    const { num_pending: pending, delivered, name } = await consumer.info();
    if (pending === 0) return;
    await sleep(SETTLE_MS);
    const later = await consumer.info();
    if (later.num_pending === 0 || later.delivered.stream_seq !== delivered.stream_seq) return;
    this.forget();
    await (await this.#open()).consumers.delete(this.#settings.stream, name);
  }

  /** Something is amiss: each consumer is looked at again before it is used. */
  forget(): void {
    this.#consumers.clear();
  }

  async #consumer(config: WantedConsumer): Promise<Consumer> {
    const manager = await this.#open();
    const { stream } = this.#settings;
    const info = await manager.consumers.add(stream, config).catch((error: unknown) => {
      if (!isApiError(error, CONSUMER_EXISTS)) throw error;
      return manager.consumers.update(stream, config.durable_name, config);
    });
    const { filter_subject, ack_policy } = info.config;
    if (filter_subject !== config.filter_subject || ack_policy !== config.ack_policy) {
      throw new StreamProblem(
        `The consumer ${config.durable_name} of the NATS stream '${stream}' is not ours. Delete it, or set BATCHSENDER_NATS_STREAM to another name.`,
      );
    }
    return this.client.consumers.getConsumerFromInfo(info);
  }

  #open(): Promise<JetStreamManager> {
    this.#manager ??= jetstreamManager(this.#nc, { checkAPI: false, timeout: REQUEST_MS });
    return this.#manager;
  }

  async #ensure(): Promise<void> {
    const { streams } = await this.#open();
    const wanted = streamConfig(this.#settings);
    const find = () => streams.info(wanted.name).catch(undefinedIf(STREAM_NOT_FOUND));
    let found = await find();
    if (found === undefined) {
      // One that is made while the server still deletes the old one loses its files (seen with 2.9).
      await sleep(SETTLE_MS);
      found = (await find()) ?? (await streams.add(wanted));
    }
    if (found.config.retention !== wanted.retention || !hasOurSubjects(found.config, wanted)) {
      throw new StreamProblem(
        `NATS has a stream '${wanted.name}' that is not ours. Set BATCHSENDER_NATS_STREAM to another name.`,
      );
    }
    if (differences(found.config, wanted).length === 0) return;
    const updated = await streams.update(wanted.name, wanted);
    // Old servers drop what they do not know without a word.
    const dropped = differences(updated.config, wanted);
    if (dropped.length > 0) {
      throw new StreamProblem(
        `This NATS server does not keep ${dropped.join(', ')} of the stream '${wanted.name}'. Use nats-server 2.9 or newer.`,
      );
    }
  }
}

const CHANGEABLE = [
  'max_age',
  'duplicate_window',
  'max_msgs',
  'max_bytes',
  'discard',
  'num_replicas',
] as const;

type WantedStream = Pick<
  StreamConfig,
  'name' | 'subjects' | 'retention' | 'storage' | (typeof CHANGEABLE)[number]
>;

function streamConfig({ stream, replicas }: NatsSettings): WantedStream {
  return {
    name: stream,
    subjects: [`${stream}.chunk.>`],
    retention: RetentionPolicy.Workqueue,
    // In memory the hints of a moment would be lost with each restart of the server.
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(MAX_AGE_MS),
    max_msgs: MAX_MESSAGES,
    max_bytes: MAX_BYTES,
    duplicate_window: nanos(DEDUP_MS),
    num_replicas: replicas,
  };
}

type WantedConsumer = ReturnType<typeof consumerConfig>;

function consumerConfig(stream: string, type: string, moduleVersion: number) {
  return {
    durable_name: `${type}-${moduleVersion}`,
    filter_subject: subjectOf(stream, type, moduleVersion),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
    max_ack_pending: MAX_ACK_PENDING,
    inactive_threshold: nanos(UNUSED_MS),
  } satisfies Partial<ConsumerConfig>;
}

const hasOurSubjects = (found: StreamConfig, wanted: WantedStream): boolean =>
  found.subjects?.join() === wanted.subjects.join();

const differences = (found: StreamConfig, wanted: WantedStream): string[] =>
  CHANGEABLE.filter((field) => found[field] !== wanted[field]);

/** For `catch`: this error of the API means that there is nothing. */
const undefinedIf =
  (code: number) =>
  (error: unknown): undefined => {
    if (!isApiError(error, new Set([code]))) throw error;
  };

const isApiError = (error: unknown, codes: ReadonlySet<number>): boolean =>
  error instanceof JetStreamApiError && codes.has(error.code);
