import type { Logger } from '../../plugin/index.ts';
import type { OpenedConnection } from '../connections/opened.ts';
import type { CircuitState, ProviderActivity, WorkLabels } from '../observer.ts';
import type { RunStore } from '../store.ts';
import type { Tuning } from '../tuning.ts';
import { concurrencyOf } from './concurrency.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { ConnectionGate } from './gate.ts';
import type { Heartbeat } from './heartbeat.ts';
import { isPluginMistake } from './lost.ts';
import type { BatchPlan } from './prepare.ts';

export interface ConnectionGatesOptions {
  readonly store: RunStore;
  readonly heartbeat: Heartbeat;
  readonly logger: Logger;
  readonly tuning: Tuning;
  onDue(inMs: number): void;
  onCircuit(plan: BatchPlan, state: CircuitState): void;
  /** Tries to mend a connection that its provider refuses, before it is blocked. True if it has new credentials. */
  rescue(plan: BatchPlan): Promise<boolean>;
}

/** A connection and the version of its credentials. */
export type ConnectionVersion = Pick<OpenedConnection, 'connectionId' | 'version'>;

/** For a provider whose `concurrency` gives no number: slow, but nobody is called more often than is good. */
const LEAST_CONCURRENCY = 1;
const SAME_THROWS = 10;
/** A connection is asked again after a day at the latest, whatever patience its provider asked for. */
const MAX_THROTTLE_MS = 86_400_000;

/** The gates of all connections that this process works for, and what blocks or slows them. */
export class ConnectionGates {
  readonly #options: ConnectionGatesOptions;
  readonly #gates = new Map<string, ConnectionGate>();
  readonly #concurrency = new Map<string, number>();
  /** Of the credentials that a gate was made for. */
  readonly #versions = new Map<string, number>();
  /** Blocked here, and not in the database yet. */
  readonly #deciding = new Set<string>();
  readonly #labels = new Map<string, WorkLabels>();
  readonly #health: EndpointHealth;
  /** As the last heartbeat said; also of connections without a gate here yet. */
  #blocked = new Set<string>();

  constructor(options: ConnectionGatesOptions) {
    this.#options = options;
    this.#health = new EndpointHealth(options);
  }

  find(connectionId: string): ConnectionGate | undefined {
    return this.#gates.get(connectionId);
  }

  /** True if no call of the connection may start, as far as this process knows. */
  isBlocked(connectionId: string): boolean {
    return this.#gates.get(connectionId)?.blocked ?? this.#blocked.has(connectionId);
  }

  of(plan: BatchPlan): ConnectionGate {
    const { connectionId, version } = plan.connection;
    const gate = this.#gates.get(connectionId);
    if (gate === undefined) return this.#make(plan);
    if ((this.#versions.get(connectionId) ?? 0) < version) this.#renew(gate, plan);
    return gate;
  }

  #make(plan: BatchPlan): ConnectionGate {
    const { connectionId } = plan.connection;
    const alone = typeof plan.provider.endpointKey === 'string';
    const gate = new ConnectionGate(0, alone, (endpoint, state, failing) => {
      this.#options.onCircuit(plan, state);
      if (failing) void this.#health.changed(gate, { connectionId, endpoint, state });
    });
    gate.blocked = this.#blocked.has(connectionId);
    this.#gates.set(connectionId, gate);
    this.#labels.set(connectionId, { type: plan.batch.type, provider: plan.batch.provider });
    this.#renew(gate, plan);
    return gate;
  }

  /** What is allowed follows from the credentials. */
  #renew(gate: ConnectionGate, plan: BatchPlan): void {
    const { connectionId, version, credentials } = plan.connection;
    const concurrency = concurrencyOf(plan.provider, credentials) ?? this.#least(plan);
    this.#concurrency.set(connectionId, concurrency);
    this.#versions.set(connectionId, version);
    gate.limit = this.#options.heartbeat.share(concurrency);
  }

  /** What each provider does here, over its connections. */
  activity(now: number): ProviderActivity[] {
    const providers = new Map<string, ProviderActivity>();
    for (const [connectionId, { type, provider }] of this.#labels) {
      const gate = this.#gates.get(connectionId);
      if (gate === undefined) continue;
      const key = `${type}.${provider}`;
      const before = providers.get(key);
      const { open, halfOpen } = gate.circuits(now);
      providers.set(key, {
        type,
        provider,
        callsInFlight: (before?.callsInFlight ?? 0) + gate.inFlight,
        callSlots: (before?.callSlots ?? 0) + gate.limit,
        circuitsOpen: (before?.circuitsOpen ?? 0) + open,
        circuitsHalfOpen: (before?.circuitsHalfOpen ?? 0) + halfOpen,
      });
    }
    return [...providers.values()];
  }

  /** Divides each provider's concurrency over the runners that live now. */
  share(): void {
    for (const [connectionId, gate] of this.#gates) {
      gate.limit = this.#options.heartbeat.share(this.#concurrency.get(connectionId) ?? LEAST_CONCURRENCY);
    }
  }

  #least({ pluginName, batch }: BatchPlan): number {
    this.#options.logger.error(
      { plugin: pluginName, connectionId: batch.connectionId },
      `Plugin ${pluginName}: concurrency of provider '${batch.provider}' gives no whole number from 1. ` +
        'Calls are made one by one',
    );
    return LEAST_CONCURRENCY;
  }

  /** What the database says is blocked. */
  setBlocked(blocked: ReadonlySet<string>): void {
    this.#blocked = new Set(blocked);
    for (const [connectionId, gate] of this.#gates) {
      if (this.#deciding.has(connectionId)) continue;
      if (gate.blocked && !blocked.has(connectionId)) this.unblock(connectionId);
      else if (blocked.has(connectionId)) gate.blocked = true;
    }
  }

  unblock(connectionId: string): void {
    this.#blocked.delete(connectionId);
    const gate = this.#gates.get(connectionId);
    if (gate === undefined) return;
    gate.blocked = false;
    gate.throttledUntil = 0;
    gate.throws.count = 0;
    gate.closeCircuits();
  }

  /** E18: nothing fails; all batches of the connection wait until somebody mends it. */
  block(plan: BatchPlan, code: string, message: string | null): void {
    const { connectionId, version, hide } = plan.connection;
    // What the old credentials are refused says nothing of the new ones.
    if (version < (this.#versions.get(connectionId) ?? 0)) return;
    const gate = this.of(plan);
    if (gate.blocked) return;
    gate.blocked = true;
    const shown = message === null || hide === undefined ? message : hide(message);
    void this.#decide({ connectionId, version }, { code, message: shown }, () => this.#options.rescue(plan));
  }

  /** Blocks a connection that could not even be opened. */
  blockUnopened(connection: ConnectionVersion, code: string, message: string): void {
    const gate = this.#gates.get(connection.connectionId);
    if (gate !== undefined) gate.blocked = true;
    void this.#decide(connection, { code, message }, () => Promise.resolve(false));
  }

  async #decide(
    { connectionId, version }: ConnectionVersion,
    reason: { readonly code: string; readonly message: string | null },
    rescue: () => Promise<boolean>,
  ): Promise<void> {
    if (this.#deciding.has(connectionId)) return;
    this.#deciding.add(connectionId);
    const { logger, heartbeat, store } = this.#options;
    try {
      if (await rescue()) return;
      logger.warn(
        { connectionId, code: reason.code },
        `Connection ${connectionId} is blocked: ${reason.code}. Its batches wait until it is unblocked`,
      );
      await heartbeat.persist(() => store.block(connectionId, reason, version));
    } finally {
      this.#deciding.delete(connectionId);
    }
  }

  throttle(plan: BatchPlan, askedMs: number): void {
    const gate = this.of(plan);
    const forMs = Math.min(askedMs, MAX_THROTTLE_MS);
    const until = performance.now() + forMs;
    if (until <= gate.throttledUntil + 100) return;
    gate.throttledUntil = until;
    this.#options.onDue(forMs);
    void this.#options.heartbeat.persist(() => this.#options.store.throttle(plan.batch.connectionId, forMs));
  }

  /** The plugin threw something that is no word from the network; ten times the same blocks (E18). */
  threw(plan: BatchPlan, error: unknown): void {
    if (!isPluginMistake(error)) return;
    const raw = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const text = plan.connection.hide?.(raw) ?? raw;
    const { throws } = this.of(plan);
    throws.count = throws.text === text ? throws.count + 1 : 1;
    throws.text = text;
    if (throws.count === 1) {
      const fields = { plugin: plan.pluginName, error: kindOf(error), frames: framesOf(error) };
      this.#options.logger.error(fields, `Plugin ${plan.pluginName} threw`);
    }
    if (throws.count >= SAME_THROWS) this.block(plan, 'provider_error', text.slice(0, 300));
  }
}

const kindOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/** Where it was thrown. Its message is left out: it may quote a payload. */
function framesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 5);
}
