import type { Newcomers } from '../decisions/choose.ts';
import type { Tuning } from '../tuning.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { ConnectionGates } from './connection-gates.ts';

/** Whose a chunk is, and where its calls go. */
export interface ChunkPlace {
  readonly connectionId: string;
  /** Unknown until it is loaded, if the transport did not tell. */
  readonly tenantId?: string | undefined;
}

export interface RoomOptions {
  readonly gates: ConnectionGates;
  readonly tuning: Tuning;
  /** False while nothing more is taken, whatever it is. */
  isOpen(): boolean;
  /** Chunks whose lease or load is under way. */
  readonly starting: ReadonlyMap<number, ChunkPlace>;
  readonly runs: ReadonlyMap<number, ChunkRun>;
}

/** Chunks of newcomers at work on a connection, beyond those of everybody, as a share of the latter. */
const NEWCOMERS_SHARE = 0.5;

/** Chunks of one connection that a runner works on at once, those of newcomers included. */
export const mostPerConnection = ({ chunkSlotsPerConnection }: Tuning): number =>
  chunkSlotsPerConnection + Math.ceil(chunkSlotsPerConnection * NEWCOMERS_SHARE);

/** Which chunks a runner would take now. */
export class RunnerRoom {
  readonly #options: RoomOptions;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** How many more chunks, of whatever connection. */
  get total(): number {
    const { isOpen, starting, runs, tuning } = this.#options;
    if (!isOpen()) return 0;
    let busy = starting.size;
    for (const run of runs.values()) if (!run.draining) busy += 1;
    return tuning.chunkSlots - busy;
  }

  /** How many more chunks of a connection. */
  of(connectionId: string): number {
    return this.#works(connectionId) ? this.window(connectionId) - this.#busyWith(connectionId) : 0;
  }

  /** How many chunks of a connection a runner works on at once, as far as this one knows it. */
  window(connectionId: string): number {
    const gate = this.#options.gates.find(connectionId);
    const { chunkSlotsPerConnection: all } = this.#options.tuning;
    if (gate?.brisk(performance.now()) === true) return Math.ceil(all / 4);
    // With all call slots taken, further chunks would only wait; a few make sure that tenants take turns.
    return gate?.saturated === true ? Math.ceil(all / 2) : all;
  }

  /**
   * Whoever has chunks at work here gets no more of them than `of` says; beyond it there is some
   * for each tenant that has none, so that it need not wait for the end of a chunk of the others (E16).
   */
  readonly newcomers: Newcomers = {
    most: (connectionId) => this.#most(connectionId),
    holds: (connectionId, tenantId) =>
      this.#busy((place) => place.connectionId === connectionId && place.tenantId === tenantId) > 0,
  };

  /** True if one chunk of the tenant would be taken. */
  takes({ connectionId, tenantId }: ChunkPlace): boolean {
    if (this.total <= 0) return false;
    if (this.of(connectionId) > 0) return true;
    if (tenantId === undefined || this.#most(connectionId) <= 0) return false;
    return !this.newcomers.holds(connectionId, tenantId);
  }

  /** True if a chunk that somebody else's dispatcher chose finds a slot: it knows what all runners have. */
  fits({ connectionId }: ChunkPlace): boolean {
    return this.total > 0 && this.#most(connectionId) > 0;
  }

  #most(connectionId: string): number {
    if (!this.#works(connectionId)) return 0;
    return mostPerConnection(this.#options.tuning) - this.#busyWith(connectionId);
  }

  /** False if no call of the connection would be made here. */
  #works(connectionId: string): boolean {
    const { gates, isOpen } = this.#options;
    return isOpen() && !gates.isBlocked(connectionId) && gates.find(connectionId)?.limit !== 0;
  }

  #busyWith(connectionId: string): number {
    return this.#busy((place) => place.connectionId === connectionId);
  }

  #busy(counts: (place: ChunkPlace) => boolean): number {
    const { starting, runs } = this.#options;
    let busy = 0;
    for (const place of starting.values()) if (counts(place)) busy += 1;
    for (const run of runs.values()) if (!run.draining && counts(run.plan.batch)) busy += 1;
    return busy;
  }
}
