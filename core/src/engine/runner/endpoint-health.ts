import type { Logger } from '../../plugin/index.ts';
import type { CircuitState } from '../observer.ts';
import type { RunStore } from '../store.ts';
import type { Tuning } from '../tuning.ts';
import type { ConnectionGate } from './gate.ts';
import type { Heartbeat } from './heartbeat.ts';

export interface EndpointHealthOptions {
  readonly store: RunStore;
  readonly heartbeat: Heartbeat;
  readonly logger: Logger;
  readonly tuning: Tuning;
}

/** The circuit of an endpoint changed because it fails, or works again. */
export interface EndpointChange {
  readonly connectionId: string;
  readonly endpoint: string;
  readonly state: CircuitState;
}

/**
 * Keeps in the database since when endpoints fail. The circuit breakers of one process forget it when
 * that ends, and start over with a call each few minutes; an endpoint that failed for days gets one
 * call an hour, from whatever process (E19).
 */
export class EndpointHealth {
  readonly #options: EndpointHealthOptions;
  readonly #told = new Set<string>();

  constructor(options: EndpointHealthOptions) {
    this.#options = options;
  }

  async changed(gate: ConnectionGate, { connectionId, endpoint, state }: EndpointChange): Promise<void> {
    const { store, heartbeat, tuning } = this.#options;
    if (state === 'half-open') return;
    const key = `${connectionId} ${endpoint}`;
    if (state === 'closed') {
      this.#told.delete(key);
      await heartbeat.persist(() => store.endpointWorks(connectionId, endpoint));
      return;
    }
    // Of one that nobody called for two probes it is not known that it failed all the time.
    const staleMs = tuning.endpointProbeMs * 2;
    const failingMs = await heartbeat.persist(() => store.endpointFails(connectionId, endpoint, staleMs));
    if (failingMs === undefined || failingMs < tuning.endpointDisableMs) return;
    gate.openCircuit(endpoint, tuning.endpointProbeMs, performance.now());
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.logger.warn(
      { connectionId, failingHours: Math.round(failingMs / 3_600_000) },
      `An endpoint of connection ${connectionId} has failed for days and gets one call an hour until it works ` +
        'or the connection is unblocked. GET /v1/endpoints tells which',
    );
  }
}
