import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseFairly, type Room } from '../../../src/engine/decisions/choose.ts';
import type { Candidate } from '../../../src/engine/store.ts';

const candidate = (chunkId: number, over: Partial<Candidate> = {}): Candidate => ({
  chunkId,
  batchId: 'b1',
  tenantId: 't1',
  connectionId: 'c1',
  type: 'mail',
  moduleVersion: 1,
  priority: 0,
  ...over,
});

const candidates: fc.Arbitrary<Candidate[]> = fc
  .array(
    fc.record({
      tenantId: fc.constantFrom('t1', 't2', 't3', 't4'),
      batch: fc.constantFrom('x', 'y', 'z'),
      connectionId: fc.constantFrom('c1', 'c2', 'c3'),
      priority: fc.constantFrom(-1, 0, 5),
    }),
    { maxLength: 80 },
  )
  .map((list) =>
    list.map(({ batch, ...rest }, index) =>
      candidate(index, { ...rest, batchId: `${rest.tenantId}${batch}` }),
    ),
  );

const rooms = fc.record({ c1: fc.nat(10), c2: fc.nat(10), c3: fc.nat(10) });
const last = fc.constantFrom(undefined, 't1', 't2', 't4', 'gone');
/** Nothing is kept for newcomers. */
const full = (room: Room['room']): Room => ({ room, newcomers: { most: room, holds: () => false } });
const plenty = full(() => 1_000);

describe('chunks chosen for dispatch', () => {
  it('E15: are each chosen once, never more than there is room on their connection or at all', () => {
    fc.assert(
      fc.property(candidates, rooms, fc.nat(40), last, (list, room, limit, lastTenant) => {
        const chosen = chooseFairly(
          list,
          full((id) => room[id as 'c1']),
          limit,
          lastTenant,
        );
        expect(chosen.length).toBeLessThanOrEqual(limit);
        expect(new Set(chosen.map((chunk) => chunk.chunkId)).size).toBe(chosen.length);
        for (const id of ['c1', 'c2', 'c3'] as const) {
          expect(chosen.filter((chunk) => chunk.connectionId === id).length).toBeLessThanOrEqual(room[id]);
        }
      }),
    );
  });

  it('E15: leave no room unused that somebody could take', () => {
    fc.assert(
      fc.property(candidates, rooms, fc.nat(40), last, (list, room, limit, lastTenant) => {
        const chosen = chooseFairly(
          list,
          full((id) => room[id as 'c1']),
          limit,
          lastTenant,
        );
        if (chosen.length === limit) return;
        for (const id of ['c1', 'c2', 'c3'] as const) {
          const wanted = list.filter((chunk) => chunk.connectionId === id).length;
          const got = chosen.filter((chunk) => chunk.connectionId === id).length;
          expect(got).toBe(Math.min(wanted, room[id]));
        }
      }),
    );
  });

  it('E15: go round the tenants: shares differ by at most one while both have work', () => {
    fc.assert(
      fc.property(candidates, fc.nat(80), last, (list, limit, lastTenant) => {
        const chosen = chooseFairly(list, plenty, limit, lastTenant);
        const count = (of: Candidate[], tenantId: string) => of.filter((c) => c.tenantId === tenantId).length;
        const unserved = [...new Set(list.map((c) => c.tenantId))].filter(
          (t) => count(chosen, t) < count(list, t),
        );
        const most = Math.max(0, ...list.map((c) => count(chosen, c.tenantId)));
        for (const tenantId of unserved) expect(count(chosen, tenantId)).toBeGreaterThanOrEqual(most - 1);
      }),
    );
  });

  it('E15: begin behind the tenant that was served last', () => {
    const list = ['t1', 't2', 't3'].map((tenantId, index) =>
      candidate(index, { tenantId, batchId: tenantId }),
    );
    const tenants = (lastTenant?: string) =>
      chooseFairly(list, plenty, 10, lastTenant).map((c) => c.tenantId);
    expect(tenants()).toEqual(['t1', 't2', 't3']);
    expect(tenants('t1')).toEqual(['t2', 't3', 't1']);
    expect(tenants('t2')).toEqual(['t3', 't1', 't2']);
    expect(tenants('t3')).toEqual(['t1', 't2', 't3']);
    expect(tenants('t2a')).toEqual(['t3', 't1', 't2']);
  });

  it('E15: go round the batches of a tenant, those of a higher priority first', () => {
    const list = [
      candidate(1, { batchId: 'low' }),
      candidate(2, { batchId: 'low' }),
      candidate(3, { batchId: 'other' }),
      candidate(4, { batchId: 'other' }),
      candidate(5, { batchId: 'high', priority: 9 }),
      candidate(6, { batchId: 'high', priority: 9 }),
    ];
    expect(chooseFairly(list, plenty, 10).map((c) => c.chunkId)).toEqual([5, 6, 1, 3, 2, 4]);
  });

  it('E16: pass over a connection without room without holding up the others', () => {
    const list = [candidate(1), candidate(2), candidate(3, { batchId: 'b2', connectionId: 'c2' })];
    expect(
      chooseFairly(
        list,
        full((id) => (id === 'c1' ? 0 : 5)),
        10,
      ).map((c) => c.chunkId),
    ).toEqual([3]);
  });

  it('E16: give each tenant with nothing at work one place beyond the room of the others', () => {
    const list = [
      candidate(1, { tenantId: 'busy' }),
      candidate(2, { tenantId: 'busy' }),
      candidate(3, { tenantId: 'new', batchId: 'b2' }),
      candidate(4, { tenantId: 'new', batchId: 'b2' }),
      candidate(5, { tenantId: 'other', batchId: 'b3' }),
      candidate(6, { tenantId: 'third', batchId: 'b4' }),
    ];
    const at: Room = {
      room: () => 0,
      newcomers: { most: () => 2, holds: (_id, tenant) => tenant === 'busy' },
    };
    expect(chooseFairly(list, at, 10).map((c) => c.chunkId)).toEqual([3, 5]);
    expect(chooseFairly(list, { ...at, room: () => 3 }, 10)).toHaveLength(3);
  });
});
