import { describe, expect, it } from 'vitest';
import type { CallObservation } from '../../../src/engine/observer.ts';
import { ActiveCall, CallTimeoutError, ShutdownError } from '../../../src/engine/runner/active-call.ts';
import { watchSession } from '../../../src/engine/watch/watch-session.ts';
import type { Job, Session } from '../../../src/plugin/index.ts';

const job = (id: string): Job => ({ id, payload: {}, attempt: 1, possibleDuplicate: false }) as never;
const newCall = (): ActiveCall =>
  new ActiveCall({ idempotencyKey: 'k', timeoutMs: 10 } as never, 1, 0, async () => true);

function watched(session: Session) {
  const calls: CallObservation[] = [];
  const onCall = (call: CallObservation) => void calls.push(call);
  const told = () => calls.map(({ operation, jobs, status }) => `${operation} ${jobs} ${status}`);
  return {
    session: watchSession(session, { type: 't', provider: 'p', onCall, trace: undefined }),
    calls,
    told,
  };
}

describe('a watched session', () => {
  it('tells of a result that comes at once, and of one that comes later', async () => {
    const answers = [
      { status: 'succeeded' } as const,
      Promise.resolve({ status: 'failed', code: 'x' } as const),
    ];
    const { session, calls, told } = watched({ process: () => answers.shift() as never });
    expect(session.process?.(job('1'), newCall())).toEqual({ status: 'succeeded' });
    expect(await session.process?.(job('2'), newCall())).toEqual({ status: 'failed', code: 'x' });
    expect(told()).toEqual(['call 1 succeeded', 'call 1 failed']);
    expect(calls[0]).toMatchObject({ type: 't', provider: 'p', durationMs: expect.any(Number) });
  });

  it('tells of many results as one status, mixed, or invalid', async () => {
    const ok = { status: 'succeeded' } as const;
    const bad = { status: 'failed', code: 'x' } as const;
    const answers: unknown[] = [[ok, ok], [ok, bad], [ok, { status: 'great' }], 'done', []];
    const { session, told } = watched({ processBatch: async () => answers.shift() as never });
    for (let i = 0; i < 5; i++) await session.processBatch?.([job('1'), job('2')], newCall());
    expect(told()).toEqual(['succeeded', 'mixed', 'invalid', 'invalid', 'invalid'].map((s) => `call 2 ${s}`));
  });

  it('tells of questions, with the answers that only they have', async () => {
    const session: Session = {
      process: () => ({ status: 'succeeded' }),
      resolve: async () => [{ status: 'absent' }],
    };
    const { session: asked, told } = watched(session);
    await asked.resolve?.([{ ...job('1'), ageMs: 1 } as never], newCall());
    expect(told()).toEqual(['resolve 1 absent']);
    expect(watched({ process: () => ({ status: 'succeeded' }) }).session.resolve).toBeUndefined();
  });

  it('passes on what is thrown, at once or later', async () => {
    const error = new Error('no');
    const { session, told } = watched({
      process: () => {
        throw error;
      },
    });
    expect(() => session.process?.(job('1'), newCall())).toThrow(error);
    const later = watched({ process: () => Promise.reject(error) });
    await expect(later.session.process?.(job('1'), newCall())).rejects.toBe(error);
    expect([...told(), ...later.told()]).toEqual(['call 1 threw', 'call 1 threw']);
  });

  it('ends a call that hangs with its deadline, and counts it once', async () => {
    const hanging = Promise.withResolvers<{ status: 'succeeded' }>();
    const { session, told } = watched({ process: () => hanging.promise });
    const call = newCall();
    const answer = session.process?.(job('1'), call);
    call.abort(new CallTimeoutError(10));
    expect(told()).toEqual(['call 1 timeout']);
    hanging.resolve({ status: 'succeeded' });
    await answer;
    const stopped = newCall();
    void session.process?.(job('1'), stopped);
    stopped.abort(new ShutdownError());
    expect(told()).toEqual(['call 1 timeout', 'call 1 aborted']);
  });

  it('begins the work of a lazy thenable once, and calls the session as its own', async () => {
    let begun = 0;
    class Lazy {
      readonly answer = { status: 'succeeded' } as const;
      process() {
        const { answer } = this;
        return {
          then(resolve: (value: unknown) => void) {
            begun += 1;
            resolve(answer);
          },
        };
      }
    }
    const { session, told } = watched(new Lazy() as never);
    const answer = session.process?.(job('1'), newCall()) as PromiseLike<unknown>;
    await answer.then(() => undefined);
    await answer;
    expect([begun, told()]).toEqual([1, ['call 1 succeeded']]);
  });
});
