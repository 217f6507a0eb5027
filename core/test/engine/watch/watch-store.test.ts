import { describe, expect, it } from 'vitest';
import { NO_TALLIES } from '../../../src/engine/decisions/tallies.ts';
import type { EngineObserver } from '../../../src/engine/observer.ts';
import type { RunStore } from '../../../src/engine/store.ts';
import { watchStore } from '../../../src/engine/watch/watch-store.ts';

const labels = { type: 't', provider: 'p' };
const flush = {
  lease: {} as never,
  flushNo: 0,
  events: [{ seq: 0, kind: 'succeeded', data: null } as const],
  tallies: { ...NO_TALLIES, succeeded: 1 },
  end: { kind: 'keep' } as const,
};

const watched = (store: Partial<RunStore>, observer: EngineObserver): RunStore =>
  watchStore(store as RunStore, { ...labels, observer, trace: undefined });

describe('a watched store', () => {
  it('tells of a flush when it is in the log, however often it was tried', async () => {
    const answers = [new Error('connection lost'), true, false];
    const told: unknown[] = [];
    const store = watched(
      {
        flush: async () => {
          const answer = answers.shift();
          if (answer instanceof Error) throw answer;
          return answer === true;
        },
      },
      { onFlush: (observation) => void told.push(observation) },
    );
    await expect(store.flush(flush)).rejects.toThrow('connection lost');
    expect(await store.flush(flush)).toBe(true);
    expect(await store.flush(flush)).toBe(false);
    expect(told).toEqual([{ ...labels, events: 1, jobs: flush.tallies, durationMs: expect.any(Number) }]);
  });

  it('tells how many calls a rate limit made wait, each of which needs all of its tokens', async () => {
    const waits: unknown[] = [];
    const observer: EngineObserver = { onRateWait: (wait) => void waits.push(wait) };
    const store = watched({ takeTokens: async () => ({ granted: 5, waitMs: 40 }) }, observer);
    const request = { key: 'k', max: 5, windowMs: 1_000 };
    await store.takeTokens({ ...request, costs: [3, 3, 2, 1] });
    await store.takeTokens({ ...request, costs: [2, 3] });
    await store.takeTokens({ ...request, costs: [9], used: true });
    expect(waits).toEqual([{ ...labels, calls: 2, waitMs: 40 }]);
  });
});
