import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionGate } from '../../../src/engine/runner/gate.ts';
import type { GateClient } from '../../../src/engine/runner/turns.ts';

const now = 1_000;

/** A chunk that starts one call each time it is asked, while there is a slot. */
function client(
  gate: ConnectionGate,
  name: string,
  started: string[],
  jobs = Number.POSITIVE_INFINITY,
  {
    tenantId = 'default',
    batchId = name,
    endpoint,
    hungry = true,
  }: { tenantId?: string; batchId?: string; endpoint?: string; hungry?: boolean } = {},
): GateClient {
  let left = jobs;
  return {
    batch: { tenantId, batchId },
    hungry,
    pump() {
      if (left === 0) return;
      if (gate.waitMs(endpoint, now) === 0) {
        left -= 1;
        gate.acquire(endpoint, now);
        started.push(name);
      }
      if (left > 0) gate.starved = true;
    },
  };
}

describe('the call slots of a connection', () => {
  it('E16: are never more than its limit', () => {
    const gate = new ConnectionGate(2);
    gate.acquire(undefined, now);
    expect(gate.waitMs(undefined, now)).toBe(0);
    gate.acquire('a', now);
    expect(gate.waitMs(undefined, now)).toBeUndefined();
    gate.release('a', true, now);
    expect(gate.waitMs('a', now)).toBe(0);
    expect(gate.inFlight).toBe(1);
  });

  it('are given away once for all that become free in a turn, where one batch alone wants them', async () => {
    const gate = new ConnectionGate(3);
    const started: string[] = [];
    const pumps: number[] = [];
    const one = client(gate, 'a', started);
    gate.join({
      ...one,
      pump: () => {
        pumps.push(gate.inFlight);
        one.pump();
      },
    });
    for (let slot = 0; slot < 3; slot++) gate.acquire(undefined, now);
    gate.starved = true;
    for (let slot = 0; slot < 3; slot++) {
      gate.release(undefined, true, now);
      gate.wakeSoon();
    }
    expect(started).toEqual([]);
    await setImmediate();
    // This client starts one call each time that it is asked; all slots are taken again.
    expect(started).toEqual(['a', 'a', 'a']);
    expect(pumps).toEqual([0, 1, 2]);
    expect(gate.saturated).toBe(true);
  });

  it('E16: are given away one by one where several batches take turns', () => {
    const gate = new ConnectionGate(2);
    const started: string[] = [];
    gate.join(client(gate, 'a', started));
    gate.join(client(gate, 'b', started));
    for (let slot = 0; slot < 2; slot++) gate.acquire(undefined, now);
    gate.starved = true;
    for (let slot = 0; slot < 4; slot++) {
      gate.release(undefined, true, now);
      gate.wakeSoon();
    }
    expect(started.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('E7: pass from a call that ended to the next one of its chunk', () => {
    const gate = new ConnectionGate(2);
    gate.join(client(gate, 'a', []));
    gate.acquire('x', now);
    gate.ended('x', true, now);
    expect(gate.handOver('x', now)).toBe(true);
    expect(gate.inFlight).toBe(1);
    gate.release('x', true, now);
    expect(gate.inFlight).toBe(0);
  });

  it.each<[string, (gate: ConnectionGate) => void]>([
    ['another batch waits for its turn', (gate) => gate.join(client(gate, 'b', []))],
    ['the connection is blocked', (gate) => Object.assign(gate, { blocked: true })],
    ['the connection is throttled', (gate) => Object.assign(gate, { throttledUntil: now + 1 })],
    ['there are fewer slots than before', (gate) => Object.assign(gate, { limit: 1 })],
    ["the endpoint's circuit is open", (gate) => gate.openCircuit('x', 500, now)],
    ['another endpoint took its share', (gate) => gate.acquire('y', now)],
  ])('E16: do not pass on where %s', (_case, change) => {
    const gate = new ConnectionGate(3);
    gate.join(client(gate, 'a', []));
    gate.acquire('x', now);
    gate.acquire('x', now);
    gate.ended('x', true, now);
    change(gate);
    expect(gate.handOver('x', now)).toBe(false);
    gate.vacate('x');
    const { inFlight } = gate;
    gate.release('x', true, now);
    expect(gate.inFlight).toBe(inFlight - 1);
  });

  it('E16: go to another chunk of the batch now and then', () => {
    const gate = new ConnectionGate(2);
    gate.join(client(gate, 'a', [], 1, { batchId: 'batch' }));
    gate.acquire(undefined, now);
    const passed = Array.from({ length: 16 }, () => {
      gate.ended(undefined, true, now);
      return gate.handOver(undefined, now);
    });
    expect(passed.filter((yes) => !yes)).toHaveLength(2);
  });

  it('E16: stay free for others when one endpoint hangs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), (limit) => {
        const gate = new ConnectionGate(limit);
        while (gate.waitMs('slow', now) === 0) gate.acquire('slow', now);
        expect(gate.inFlight).toBeGreaterThan(0);
        expect(gate.inFlight).toBeLessThan(limit);
        expect(gate.waitMs('fast', now)).toBe(0);
      }),
    );
  });

  it('E16: are all of use to a provider without endpoints', () => {
    const gate = new ConnectionGate(7);
    while (gate.waitMs(undefined, now) === 0) gate.acquire(undefined, now);
    expect(gate.inFlight).toBe(7);
  });

  it('E16: are all of use to the only endpoint of a provider, and its circuit opens all the same', () => {
    const gate = new ConnectionGate(7, true);
    while (gate.waitMs('server', now) === 0) gate.acquire('server', now);
    expect(gate.inFlight).toBe(7);
    expect(gate.waitMs('server', now)).toBeUndefined();
    gate.openCircuit('server', 500, now);
    expect(gate.waitMs('server', now)).toBe(500);
  });

  it('E16: go round the batches also where one endpoint may not take them all', () => {
    const gate = new ConnectionGate(10);
    const started: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      gate.join(client(gate, name, started, Number.POSITIVE_INFINITY, { endpoint: 'one' }));
    }
    while (gate.waitMs('one', now) === 0) gate.acquire('one', now);
    gate.starved = true;
    for (let i = 0; i < 6; i++) {
      gate.release('one', true, now);
      gate.wake();
    }
    expect(started).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('E16: go to the oldest chunk of a batch first, and at times to each other one that has waited long', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    for (const name of ['old', 'newer', 'fed', 'newest']) {
      const hungry = name !== 'fed';
      gate.join(client(gate, name, started, Number.POSITIVE_INFINITY, { batchId: 'one', hungry }));
    }
    gate.starved = true;
    gate.wake();
    for (let i = 1; i < 64; i++) {
      gate.release(undefined, true, now);
      gate.wake();
    }
    const times = (name: string) => started.filter((one) => one === name).length;
    expect(times('old')).toBe(60);
    expect(times('fed')).toBe(0);
    expect(times('newer')).toBe(2);
    expect(times('newest')).toBe(2);
  });

  it('E16: tell when further chunks would be of no use', () => {
    const gate = new ConnectionGate(2);
    gate.starved = true;
    expect(gate.brisk(now)).toBe(false);
    const end = (calls: number) => {
      for (let i = 0; i < calls; i++) {
        gate.acquire(undefined, now);
        gate.release(undefined, true, now);
      }
    };
    end(20);
    expect(gate.brisk(now + 1_000)).toBe(true);
    end(19);
    expect(gate.brisk(now + 1_100)).toBe(true);
    expect(gate.brisk(now + 2_000)).toBe(false);
    end(100);
    gate.starved = false;
    expect(gate.brisk(now + 3_000)).toBe(false);
  });

  it('E16: go round the batches that wait', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    for (const name of ['a', 'b', 'c']) gate.join(client(gate, name, started));
    gate.starved = true;
    gate.wake();
    for (let i = 0; i < 5; i++) {
      gate.release(undefined, true, now);
      gate.wake();
    }
    expect(started).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('E16: go round the tenants first: many batches of one get no more than a single one of another', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    const endless = Number.POSITIVE_INFINITY;
    for (const name of ['a1', 'a2', 'a3']) gate.join(client(gate, name, started, endless, { tenantId: 'a' }));
    gate.join(client(gate, 'b1', started, endless, { tenantId: 'b' }));
    gate.starved = true;
    gate.wake();
    for (let i = 0; i < 7; i++) {
      gate.release(undefined, true, now);
      gate.wake();
    }
    expect(started).toEqual(['a1', 'b1', 'a2', 'b1', 'a3', 'b1', 'a1', 'b1']);
  });

  it('E16: go to the other tenants when the last chunk of one leaves', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) =>
      client(gate, name, started, Number.POSITIVE_INFINITY, { tenantId: name }),
    ) as GateClient[];
    for (const one of [a, b, c]) gate.join(one as GateClient);
    gate.starved = true;
    gate.wake();
    gate.leave(b as GateClient);
    for (let i = 0; i < 3; i++) {
      gate.release(undefined, true, now);
      gate.wake();
    }
    expect(started).toEqual(['a', 'c', 'a', 'c']);
  });

  it('E16: go on round when a chunk leaves', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => client(gate, name, started)) as GateClient[];
    for (const one of [a, b, c]) gate.join(one as GateClient);
    gate.starved = true;
    gate.wake();
    gate.leave(a as GateClient);
    for (let i = 0; i < 3; i++) {
      gate.release(undefined, true, now);
      gate.wake();
    }
    expect(started).toEqual(['a', 'b', 'c', 'b']);
  });

  it('wake nobody while nobody lacks a slot', () => {
    const gate = new ConnectionGate(1);
    const started: string[] = [];
    gate.join(client(gate, 'a', started));
    gate.wake();
    expect(started).toEqual([]);
  });
});

describe('a connection that was asked for patience', () => {
  it('waits, whatever the endpoint', () => {
    const gate = new ConnectionGate(5);
    gate.throttledUntil = now + 300;
    expect(gate.waitMs(undefined, now)).toBe(300);
    expect(gate.waitMs('a', now + 100)).toBe(200);
    expect(gate.waitMs('a', now + 300)).toBe(0);
  });

  it('E19: waits for one endpoint only, where the endpoint asked', () => {
    const gate = new ConnectionGate(5);
    gate.openCircuit('a', 400, now);
    expect(gate.waitMs('a', now)).toBe(400);
    expect(gate.waitMs('b', now)).toBe(0);
  });

  it('E19: opens the circuit of an endpoint that fails', () => {
    const gate = new ConnectionGate(5);
    for (let i = 0; i < 10; i++) {
      gate.acquire('a', now);
      gate.release('a', false, now);
    }
    expect(gate.waitMs('a', now)).toBeGreaterThan(0);
    expect(gate.waitMs('b', now)).toBe(0);
    expect(gate.inFlight).toBe(0);
  });

  it('E19: gives the slot of a call that did not start back without judging its endpoint', () => {
    const gate = new ConnectionGate(1);
    for (let i = 0; i < 20; i++) {
      gate.acquire('a', now);
      gate.giveUp('a');
    }
    expect(gate.waitMs('a', now)).toBe(0);
    expect(gate.inFlight).toBe(0);
  });
});
