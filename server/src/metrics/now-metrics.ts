import type { Activity, Backlog, TypeBacklog } from '@batchsender/core';
import { Gauge, type Registry } from 'prom-client';
import type { KnownType } from './work-metrics.ts';

/** The label of types that wait in the database but are not installed: one, however many there are. */
const OTHER_TYPE = 'other';

/** Metrics of what is now. They are set when somebody asks. */
export interface NowMetrics {
  /** What this process does. */
  setActivity(activity: Activity): void;
  /** What waits; undefined if the database does not answer. */
  setBacklog(backlog: Backlog | undefined, types: readonly KnownType[]): void;
}

export function nowMetrics(registry: Registry): NowMetrics {
  const activity = activityGauges(registry);
  const backlog = backlogGauges(registry);
  return {
    setActivity: (now) => showActivity(activity, now),
    setBacklog: (now, types) => showBacklog(backlog, now, types),
  };
}

function gaugeMaker(registry: Registry) {
  return <T extends string>(
    name: string,
    help: string,
    labelNames: readonly T[],
    aggregator: 'sum' | 'max' = 'sum',
  ) => new Gauge({ name: `batchsender_${name}`, help, labelNames, aggregator, registers: [registry] });
}

function activityGauges(registry: Registry) {
  const gauge = gaugeMaker(registry);
  const provider = ['type', 'provider'] as const;
  return {
    held: gauge('chunks_held', 'Chunks that the runners of this server hold', []),
    heartbeat: gauge('heartbeat_age_seconds', 'Age of the oldest runner heartbeat of this server', [], 'max'),
    inFlight: gauge('calls_in_flight', 'Calls of providers under way', provider),
    slots: gauge('call_slots', 'Calls of providers that may be under way', provider),
    breakers: gauge('breaker_state', 'Endpoints whose circuit is in a state', [...provider, 'state']),
  };
}

function showActivity(gauges: ReturnType<typeof activityGauges>, now: Activity): void {
  gauges.held.set(now.chunksHeld);
  if (now.heartbeatAgeMs === null) gauges.heartbeat.remove();
  else gauges.heartbeat.set(now.heartbeatAgeMs / 1_000);
  for (const { type, provider, ...at } of now.providers) {
    gauges.inFlight.set({ type, provider }, at.callsInFlight);
    gauges.slots.set({ type, provider }, at.callSlots);
    gauges.breakers.set({ type, provider, state: 'open' }, at.circuitsOpen);
    gauges.breakers.set({ type, provider, state: 'half-open' }, at.circuitsHalfOpen);
  }
}

function backlogGauges(registry: Registry) {
  const gauge = gaugeMaker(registry);
  return {
    up: gauge('database_up', 'Whether the database answered', [], 'max'),
    chunks: gauge('chunks', 'Open chunks by type and state', ['type', 'state'], 'max'),
    age: gauge('queue_age_seconds', 'Since the oldest chunk that waits is due', ['type'], 'max'),
    unknown: gauge('unknown_jobs', 'Jobs whose outcome is unknown and not resolved', ['type'], 'max'),
    blocked: gauge('blocked_connections', 'Connections that cannot work', ['type', 'provider'], 'max'),
    runners: gauge('runners', 'Runners with a fresh heartbeat', [], 'max'),
  };
}

function showBacklog(
  gauges: ReturnType<typeof backlogGauges>,
  backlog: Backlog | undefined,
  types: readonly KnownType[],
): void {
  // What is not known now is not shown as it was.
  for (const gauge of Object.values(gauges)) gauge.reset();
  gauges.up.set(backlog === undefined ? 0 : 1);
  if (backlog === undefined) {
    gauges.runners.remove();
    return;
  }
  gauges.runners.set(backlog.runners);
  for (const [type, of] of byKnownType(backlog, types)) {
    gauges.chunks.set({ type, state: 'ready' }, of.readyChunks);
    gauges.chunks.set({ type, state: 'leased' }, of.leasedChunks);
    gauges.unknown.set({ type }, of.unknownJobs);
    gauges.age.set({ type }, of.oldestDueMs / 1_000);
  }
  for (const { type, providers } of types)
    for (const provider of providers) gauges.blocked.set({ type, provider }, 0);
  for (const { connections, ...of } of backlog.blockedConnections) {
    const isKnown = types.some(({ type, providers }) => type === of.type && providers.includes(of.provider));
    gauges.blocked.inc(isKnown ? of : { type: OTHER_TYPE, provider: OTHER_TYPE }, connections);
  }
}

type Waiting = Omit<TypeBacklog, 'type'>;

/** What waits of each installed type, and of all others together. */
function byKnownType({ types: found }: Backlog, types: readonly KnownType[]): Map<string, Waiting> {
  const none: Waiting = { readyChunks: 0, leasedChunks: 0, oldestDueMs: 0, unknownJobs: 0 };
  const byType = new Map(types.map(({ type }) => [type, none]));
  for (const { type, ...of } of found) {
    const label = byType.has(type) ? type : OTHER_TYPE;
    const before = byType.get(label) ?? none;
    byType.set(label, {
      readyChunks: before.readyChunks + of.readyChunks,
      leasedChunks: before.leasedChunks + of.leasedChunks,
      oldestDueMs: Math.max(before.oldestDueMs, of.oldestDueMs),
      unknownJobs: before.unknownJobs + of.unknownJobs,
    });
  }
  return byType;
}
