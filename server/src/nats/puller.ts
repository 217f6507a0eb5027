import type { ChunkRef, TransportConsumer } from '@batchsender/core';
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';

export interface PullerOptions {
  readonly consumer: TransportConsumer;
  /** The durable consumer, made if need be; rejects while NATS is away. */
  open(): Promise<Consumer>;
  /** It delivered nothing for seconds: there may be nothing, or it is stuck. */
  onSilence(consumer: Consumer): Promise<void>;
  /** Something is wrong with the stream or the consumer. */
  onTrouble(error: unknown): void;
}

/** References asked for at once. */
const MOST = 16;
const EXPIRES_MS = 5_000;
/** Two that stay away mean that stream, consumer or server is gone. */
const IDLE_BEAT_MS = 1_000;
/** Not at once: the server may still be deleting what has to be made again. */
const RETRY_MS = [250, 500, 1_000] as const;
/** Room is looked for this often, should nobody tell of it. */
const ROOM_MS = 100;
const SOON_MS = 100;
const LEAVE_MS = 20;
const MOST_DOUBLINGS = 5;

/** Pulls the references of one durable consumer, no more than there is room for. */
export class Puller {
  readonly #options: PullerOptions;
  readonly #running: Promise<void>;
  #messages: ConsumerMessages | undefined;
  #onKick: (() => void) | undefined;
  #ended = false;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** There may be room now, or NATS may be there again. */
  kick(): void {
    this.#onKick?.();
  }

  /** What was asked for under a connection that is gone will not come. */
  restart(): void {
    this.#messages?.stop();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.kick();
    this.restart();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#ended; ) {
      const room = this.#options.consumer.room();
      if (room <= 0) {
        await this.#wait(ROOM_MS);
        continue;
      }
      try {
        await this.#pull(await this.#options.open(), Math.min(room, MOST));
        failures = 0;
      } catch (error) {
        this.#options.onTrouble(error);
        await this.#wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] as number);
        failures += 1;
      }
    }
  }

  async #pull(from: Consumer, count: number): Promise<void> {
    const startedAt = performance.now();
    const messages = await from.fetch({
      max_messages: count,
      expires: EXPIRES_MS,
      idle_heartbeat: IDLE_BEAT_MS,
    });
    this.#messages = messages;
    if (this.#ended) messages.stop();
    let taken = 0;
    for await (const message of messages) {
      this.#take(message);
      taken += 1;
    }
    if (taken > 0 || this.#ended) return;
    // One that ends at once without a reason must not be asked again and again.
    if (performance.now() - startedAt < SOON_MS) await this.#wait(SOON_MS);
    else await this.#options.onSilence(from);
  }

  #take(message: JsMsg): void {
    const ref = refOf(message);
    // The hint is no truth: its work is done as soon as somebody works on the chunk, or nobody can read it.
    if (ref === undefined || (!this.#ended && this.#options.consumer.take(ref))) message.ack();
    else message.nak(LEAVE_MS * 2 ** Math.min(message.info.deliveryCount - 1, MOST_DOUBLINGS));
  }

  async #wait(forMs: number): Promise<void> {
    if (this.#ended) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, forMs);
    this.#onKick = resolve;
    await promise;
    clearTimeout(timer);
    this.#onKick = undefined;
  }
}

/** What a message says, if it is one of ours. */
function refOf(message: JsMsg): ChunkRef | undefined {
  try {
    const { chunkId, type, moduleVersion, connectionId, tenantId } = message.json<Partial<ChunkRef>>();
    if (!Number.isSafeInteger(chunkId) || !Number.isSafeInteger(moduleVersion)) return undefined;
    if (typeof type !== 'string' || typeof connectionId !== 'string') return undefined;
    const tenant = typeof tenantId === 'string' ? { tenantId } : {};
    return { chunkId: Number(chunkId), type, moduleVersion: Number(moduleVersion), connectionId, ...tenant };
  } catch {
    return undefined;
  }
}
