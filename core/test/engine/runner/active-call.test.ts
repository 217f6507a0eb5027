import { describe, expect, it, vi } from 'vitest';
import { ActiveCall, CallTimeoutError } from '../../../src/engine/runner/active-call.ts';
import { withRejections } from '../../helpers/rejections.ts';

const newCall = (): ActiveCall =>
  new ActiveCall({ idempotencyKey: 'k', timeoutMs: 10 } as never, 1, 0, async () => true);

describe('the abort of a call', () => {
  it('is told to all who listen, once, with the reason of the signal', () => {
    const call = newCall();
    const listeners = [vi.fn(), vi.fn(), vi.fn()];
    for (const listener of listeners) call.onAbort(listener);
    const reason = new CallTimeoutError(10);
    call.abort(reason);
    call.abort(new Error('too late'));
    for (const listener of listeners) expect(listener.mock.calls).toEqual([[reason]]);
    expect(call.signal).toMatchObject({ aborted: true, reason });
  });

  it('is told at once to those who listen afterwards', () => {
    const call = newCall();
    const reason = new CallTimeoutError(10);
    call.abort(reason);
    const listener = vi.fn();
    call.onAbort(listener);
    expect(listener.mock.calls).toEqual([[reason]]);
  });

  it('E22: reaches the others although one of them throws, who is told of as of a rejection', async () => {
    const call = newCall();
    const fault = new Error('a careless plugin');
    const last = vi.fn();
    call.onAbort(() => {
      throw fault;
    });
    call.onAbort(last);
    const { rejected } = await withRejections(() => call.abort(new CallTimeoutError(10)));
    expect(rejected).toEqual([fault]);
    expect(last).toHaveBeenCalledOnce();
  });
});
