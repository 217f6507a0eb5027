import { describe, expect, it } from 'vitest';
import { fakeCall, fakeJob } from '../../src/testing/index.ts';

describe('a fake call', () => {
  it('has the key of the fake job, and is on its first attempt', () => {
    const job = fakeJob({ to: 'Ada' });
    const call = fakeCall();
    expect(call).toMatchObject({ idempotencyKey: job.id, attempt: 1, timeoutMs: 10_000 });
    expect(job).toMatchObject({ seq: 0, attempt: 1, possibleDuplicate: false, payload: { to: 'Ada' } });
    expect(job.id).toBe(`${job.batchId}.0`);
  });

  it('is aborted with the error of a deadline, or with a given one', () => {
    const late = fakeCall({ timeoutMs: 250 });
    late.abort();
    expect(late.signal.reason).toMatchObject({
      code: 'timeout',
      message: 'The call did not end within 250 ms',
    });
    const stopped = fakeCall();
    stopped.abort(new Error('stopped'));
    expect(stopped.signal.reason).toMatchObject({ message: 'stopped' });
  });

  it('follows a signal of the caller too', () => {
    const controller = new AbortController();
    const call = fakeCall({ signal: controller.signal });
    controller.abort(new Error('mine'));
    expect(call.signal.reason).toMatchObject({ message: 'mine' });
    const other = fakeCall({ signal: new AbortController().signal });
    other.abort();
    expect(other.signal.aborted).toBe(true);
  });

  it('calls those back who listen for its abort, also if that was before', () => {
    const call = fakeCall();
    const reasons: Error[] = [];
    call.onAbort((reason) => reasons.push(reason));
    expect(reasons).toEqual([]);
    call.abort();
    call.onAbort((reason) => reasons.push(reason));
    expect(reasons).toEqual([call.signal.reason, call.signal.reason]);
  });

  it('keeps notes as JSON, and refuses those that the engine refuses', async () => {
    const call = fakeCall();
    const note = { id: 'bulk_1', parts: [1] };
    await call.note(note);
    note.parts.push(2);
    expect(call.notes).toEqual([{ id: 'bulk_1', parts: [1] }]);
    await expect(call.note('x'.repeat(5_000))).rejects.toThrow('4096 characters');
  });

  it('makes jobs whose id follows batch and position, unless it is given', () => {
    const job = fakeJob({}, { batchId: 'b', seq: 7 });
    expect(job.id).toBe('b.7');
    expect(fakeJob({}, { id: 'mine' }).id).toBe('mine');
  });
});
