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
