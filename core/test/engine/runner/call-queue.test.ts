import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallQueue, type PlannedCall } from '../../../src/engine/runner/call-queue.ts';

const call = (endpoint: string | undefined, idempotencyKey = ''): PlannedCall => ({
  kind: 'call',
  rateKeys: [],
  jobs: [],
  endpoint,
  idempotencyKey,
  guarantee: { kind: 'at-least-once' },
  timeoutMs: 1,
});

const free = () => 0;
const endpoints = fc.constantFrom('a', 'b', 'c', undefined);

describe('the calls of a chunk', () => {
  it('E2: come out each once, in whatever order they are put in and taken', () => {
    const steps = fc.array(
      fc.oneof(
        endpoints.map((endpoint) => ({ add: endpoint })),
        endpoints.map((endpoint) => ({ of: endpoint })),
        fc.constant('take' as const),
      ),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const queue = new CallQueue();
        const added: string[] = [];
        const taken: string[] = [];
        for (const [index, step] of list.entries()) {
          if (step !== 'take' && 'of' in step) {
            const next = queue.nextOf(step.of);
            expect(next?.endpoint).toBe(next === undefined ? undefined : step.of);
            if (next !== undefined) taken.push(next.idempotencyKey);
          } else if (step === 'take') {
            const next = queue.next(free);
            if (next !== undefined) taken.push(next.idempotencyKey);
          } else {
            queue.add(call(step.add, String(index)));
            added.push(String(index));
          }
          expect(queue.size).toBe(added.length - taken.length);
        }
        const rest = queue.drain().map((one) => one.idempotencyKey);
        expect([...taken, ...rest].sort()).toEqual(added.sort());
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('E16: go round their endpoints', () => {
    const queue = new CallQueue();
    for (const endpoint of ['a', 'a', 'a', 'b', 'c', 'c']) queue.add(call(endpoint));
    const order = Array.from({ length: 6 }, () => queue.next(free)?.endpoint);
    expect(order).toEqual(['a', 'b', 'c', 'a', 'c', 'a']);
    expect(queue.next(free)).toBeUndefined();
  });

  it('E16: lose no turn to one that is taken out of turn', () => {
    const queue = new CallQueue();
    for (const endpoint of ['a', 'a', 'b', 'c', 'c']) queue.add(call(endpoint));
    expect(queue.next(free)?.endpoint).toBe('a');
    expect(queue.nextOf('c')?.endpoint).toBe('c');
    expect(queue.nextOf('a')?.endpoint).toBe('a');
    expect(queue.has('a')).toBe(false);
    expect(queue.nextOf('a')).toBeUndefined();
    expect([queue.next(free)?.endpoint, queue.next(free)?.endpoint]).toEqual(['b', 'c']);
  });

  it('E16: pass over an endpoint that cannot be called now', () => {
    fc.assert(
      fc.property(fc.array(endpoints, { minLength: 1 }), endpoints, (list, stuck) => {
        const queue = new CallQueue();
        for (const endpoint of list) queue.add(call(endpoint));
        const wait = (endpoint: string | undefined) => (endpoint === stuck ? 50 : 0);
        const others = list.filter((endpoint) => endpoint !== stuck).length;
        for (let i = 0; i < others; i++) expect(queue.next(wait)?.endpoint).not.toBe(stuck);
        expect(queue.next(wait)).toBeUndefined();
        expect(queue.size).toBe(list.length - others);
      }),
    );
  });

  it('tell the shortest wait of their endpoints, or that one only lacks a slot', () => {
    const queue = new CallQueue();
    queue.add(call('a'));
    queue.add(call('b'));
    expect(queue.shortestWaitMs((endpoint) => (endpoint === 'a' ? 700 : 300))).toBe(300);
    expect(queue.shortestWaitMs((endpoint) => (endpoint === 'a' ? 700 : undefined))).toBeUndefined();
  });
});

describe('calls that are made when their turn comes', () => {
  /** Calls of these endpoints, some at a time. */
  const supplyOf = (endpoints: readonly string[], together: number) => {
    let at = 0;
    const taken: number[] = [];
    return {
      taken,
      get left() {
        return endpoints.length - at;
      },
      take() {
        const some = endpoints
          .slice(at, at + together)
          .map((endpoint, index) => call(endpoint, `${at + index}`));
        at += some.length;
        taken.push(some.length);
        return some;
      },
    };
  };

  it('E2: come out each once', () => {
    const supply = supplyOf(['a', 'b', 'a', 'c', 'b', 'a', 'a'], 2);
    const queue = new CallQueue(supply);
    queue.add(call('z', 'added'));
    expect(queue.size).toBe(8);
    const keys: (string | undefined)[] = [];
    for (let left = 8; left > 2; left--) {
      expect(queue.size).toBe(left);
      keys.push(queue.next(free)?.idempotencyKey);
    }
    keys.push(...queue.drain().map(({ idempotencyKey }) => idempotencyKey));
    expect(keys.sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', 'added']);
    expect(queue.size).toBe(0);
    expect(queue.next(free)).toBeUndefined();
  });

  it('are not made before those at hand have started, as long as these only lack a slot', () => {
    const supply = supplyOf(['a', 'a', 'b', 'b'], 2);
    const queue = new CallQueue(supply);
    expect(queue.has('a')).toBe(true);
    expect(queue.next(() => undefined)).toBeUndefined();
    expect(supply.taken).toEqual([2]);
  });

  it('E16: are looked for where those at hand must wait for a time, or have lacked a slot for long', () => {
    const waits = (endpoint: string | undefined) => (endpoint === 'a' ? 30_000 : 0);
    expect(new CallQueue(supplyOf(['a', 'a', 'a', 'a', 'b'], 2)).next(waits)?.endpoint).toBe('b');
    const full = (endpoint: string | undefined) => (endpoint === 'a' ? undefined : 0);
    expect(new CallQueue(supplyOf(['a', 'a', 'b'], 2)).next(full)).toBeUndefined();
    expect(new CallQueue(supplyOf(['a', 'a', 'b'], 2)).next(full, () => true)?.endpoint).toBe('b');
  });

  it('may turn out to be none', () => {
    let left = 3;
    const supply = {
      get left() {
        return left;
      },
      take: () => {
        left -= 1;
        return [];
      },
    };
    expect(new CallQueue(supply).next(free)).toBeUndefined();
    expect(left).toBe(0);
  });
});
