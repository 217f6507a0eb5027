import { describe, expect, it } from 'vitest';
import { waited, whenEnded } from '../../src/plugin/index.ts';

describe('waiting inside of a call', () => {
  it('ends when the time is over', async () => {
    const { signal } = new AbortController();
    expect([await waited(1, signal), await waited(0, signal)]).toEqual([true, true]);
  });

  it('ends with the call, and says so', async () => {
    const call = new AbortController();
    const waiting = waited(60_000, call.signal);
    call.abort();
    expect([await waiting, await waited(0, call.signal), await waited(5, call.signal)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('lasts as long as the call where nobody answers', async () => {
    const call = new AbortController();
    let answered = false;
    const answer = whenEnded(call.signal, 'lost').finally(() => {
      answered = true;
    });
    await waited(20, call.signal);
    expect(answered).toBe(false);
    call.abort();
    expect(await answer).toBe('lost');
    expect(await whenEnded(call.signal, 'lost at once')).toBe('lost at once');
  });
});
