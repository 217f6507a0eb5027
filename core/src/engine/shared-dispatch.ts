import type { Logger } from '../plugin/index.ts';
import { Beat } from './beat.ts';
import type { DispatchGuide, DispatchTarget } from './dispatch-target.ts';
import { mostPerConnection } from './runner/room.ts';
import type { Candidate, DispatchStore, Fleet } from './store.ts';
import type { ChunkRef, SharedTransport, Transport } from './transport.ts';
import type { Tuning } from './tuning.ts';

export interface SharedDispatchOptions {
  readonly store: DispatchStore;
  readonly transport: Transport & { readonly shared: SharedTransport };
  readonly holder: string;
  readonly tuning: Tuning;
  readonly logger: Logger;
  /** The runner of this process alone. */
  readonly local: DispatchGuide;
  /** Chunks of a connection that a runner works on at once. */
  window(connectionId: string): number;
  /** This process dispatches from now on. */
  onLead(): void;
}

const BEAT_MS = 1_000;
/** A leader that is silent for this long is replaced. */
const LEADER_TTL_MS = 3_000;
/** A transport that carries nothing for this long is done without. */
const AWAY_MS = 3_000;

/**
 * Dispatch where one transport serves many processes (E15). One of them leads, by a row that
 * expires, and hints the chunks to all runners. While the transport is away, each process
 * dispatches for its own runner. Two that dispatch at once do no harm: a chunk is leased once.
 */
export class SharedDispatch implements DispatchGuide {
  readonly #options: SharedDispatchOptions;
  /** Chunks that were hinted here and not seen taken. */
  readonly #hinted = new Map<number, ChunkRef>();
  /** Until when the row is ours, by the monotonic clock. */
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #awaySince: number | undefined;
  #alone = false;
  readonly #beat: Beat;

  constructor(options: SharedDispatchOptions) {
    this.#options = options;
    this.#beat = new Beat({
      work: () => this.#choose(),
      everyMs: () => BEAT_MS,
      onError: (error) => options.logger.warn({ err: error }, 'the leader could not be chosen'),
    });
  }

  start(): void {
    this.#beat.start();
  }

  async stop(): Promise<void> {
    await this.#beat.stop();
    await this.#resign();
  }

  get dispatches(): boolean {
    return this.#isAway() || this.#leads;
  }

  target(): Promise<DispatchTarget | undefined> {
    if (this.#isAway()) return this.#options.local.target();
    return this.#leads ? this.#shared() : Promise.resolve(undefined);
  }

  get #leads(): boolean {
    return this.#awaySince === undefined && performance.now() < this.#leadsUntil;
  }

  #isAway(): boolean {
    const now = performance.now();
    if (this.#options.transport.shared.ready()) this.#awaySince = undefined;
    else this.#awaySince ??= now;
    const alone = this.#awaySince !== undefined && now - this.#awaySince >= AWAY_MS;
    if (alone !== this.#alone) {
      this.#alone = alone;
      const message = alone
        ? 'The transport is away: this process dispatches for its own runner until it is back'
        : 'The transport is back: one process dispatches for all again';
      this.#options.logger.warn({}, message);
    }
    return alone;
  }

  async #choose(): Promise<void> {
    const { store, holder, onLead } = this.#options;
    if (this.#isAway()) onLead();
    // One without a transport lets another lead.
    if (this.#awaySince !== undefined) return this.#resign();
    const led = this.#leads;
    const askedAt = performance.now();
    const leads = await store.lead(holder, LEADER_TTL_MS);
    this.#leadsUntil = leads ? askedAt + LEADER_TTL_MS : Number.NEGATIVE_INFINITY;
    if (!leads) this.#hinted.clear();
    else if (!led) onLead();
  }

  async #resign(): Promise<void> {
    if (this.#leadsUntil === Number.NEGATIVE_INFINITY) return;
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    this.#hinted.clear();
    const { store, holder, logger } = this.#options;
    await store
      .resign(holder)
      .catch((error: Error) => logger.warn({ err: error }, 'the leadership could not be given up'));
  }

  async #shared(): Promise<DispatchTarget> {
    const { store, tuning, window } = this.#options;
    const { leaseMs, rehintMs } = tuning;
    const fleet = await store.fleet({ leaseMs, rehintMs, hinted: [...this.#hinted.keys()] });
    const waiting = new Set(fleet.waiting);
    for (const chunkId of this.#hinted.keys()) if (!waiting.has(chunkId)) this.#hinted.delete(chunkId);
    const busy = new Busy(fleet, this.#hinted.values());
    const runners = fleet.runners.length;
    const able = ({ type, moduleVersion }: Candidate): number =>
      fleet.runners.filter((versions) => (versions[type] ?? 0) >= moduleVersion).length;
    return {
      versions: newestVersions(fleet),
      limit: runners * tuning.chunkSlots - busy.total,
      perConnection: runners * tuning.chunkSlotsPerConnection,
      room: (connectionId, candidate) => able(candidate) * window(connectionId) - busy.of(connectionId),
      newcomers: {
        most: (connectionId, candidate) =>
          able(candidate) * mostPerConnection(tuning) - busy.of(connectionId),
        holds: (connectionId, tenantId) => busy.of(connectionId, tenantId) > 0,
      },
      publish: (refs) => this.#publish(refs),
    };
  }

  async #publish(refs: readonly ChunkRef[]): Promise<void> {
    const { store, transport } = this.#options;
    for (const ref of refs) this.#hinted.set(ref.chunkId, ref);
    try {
      await transport.publish(refs);
    } catch (error) {
      const chunkIds = refs.map(({ chunkId }) => chunkId);
      for (const chunkId of chunkIds) this.#hinted.delete(chunkId);
      await store.unmark(chunkIds);
      throw error;
    }
  }
}

/** Chunks that are leased or on their way, by connection and by tenant. */
class Busy {
  total = 0;
  readonly #counts = new Map<string, number>();

  constructor({ leased }: Fleet, hinted: Iterable<ChunkRef>) {
    for (const [connectionId, tenantId, count] of leased) this.#add(connectionId, tenantId, count);
    for (const { connectionId, tenantId } of hinted) this.#add(connectionId, tenantId, 1);
  }

  of(connectionId: string, tenantId?: string): number {
    return this.#counts.get(keyOf(connectionId, tenantId)) ?? 0;
  }

  #add(connectionId: string, tenantId: string | undefined, count: number): void {
    this.total += count;
    for (const key of new Set([keyOf(connectionId), keyOf(connectionId, tenantId)])) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    }
  }
}

const keyOf = (connectionId: string, tenantId?: string): string => JSON.stringify([connectionId, tenantId]);

/** The newest module version of each type that any of them runs. */
function newestVersions({ runners }: Fleet): Record<string, number> {
  const newest: Record<string, number> = {};
  for (const versions of runners) {
    for (const [type, version] of Object.entries(versions)) {
      newest[type] = Math.max(version, newest[type] ?? version);
    }
  }
  return newest;
}
