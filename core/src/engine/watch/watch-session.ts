import type { Call, Session } from '../../plugin/index.ts';
import type { CallObservation, EngineObserver, WorkLabels } from '../observer.ts';
import { CallTimeoutError } from '../runner/active-call.ts';
import { isThenable } from '../runner/invoke.ts';
import { batchStatus, type CallStatus, resolveStatus, resultStatus } from './call-status.ts';
import type { ChunkTrace } from './chunk-trace.ts';

/** What is told of the calls of one chunk. */
export interface CallWatch extends WorkLabels {
  readonly onCall: EngineObserver['onCall'];
  /** Undefined if the chunk is not traced. */
  readonly trace: ChunkTrace | undefined;
}

/** A session whose calls are measured and traced; what they answer and throw stays as it is. */
export function watchSession(session: Session, watch: CallWatch): Session {
  const { resolve } = session;
  const resolves = new Calls(watch, 'resolve', resolveStatus);
  const asking: Pick<Session, 'resolve'> =
    resolve === undefined
      ? {}
      : {
          resolve: (jobs, call) => resolves.make(jobs.length, call, () => resolve.call(session, jobs, call)),
        };
  if (session.process !== undefined) {
    const calls = new Calls(watch, 'call', resultStatus);
    return { ...asking, process: (job, call) => calls.make(1, call, () => session.process(job, call)) };
  }
  const calls = new Calls(watch, 'call', batchStatus);
  return {
    ...asking,
    processBatch: (jobs, call) => calls.make(jobs.length, call, () => session.processBatch(jobs, call)),
  };
}

type Span = ReturnType<ChunkTrace['call']> | undefined;

/** The calls of one chunk, of one kind. The way of a call that ends at once makes nothing that it need not. */
class Calls {
  readonly #watch: CallWatch;
  readonly #operation: CallObservation['operation'];
  readonly #statusOf: (answer: unknown) => CallStatus;

  constructor(
    watch: CallWatch,
    operation: CallObservation['operation'],
    statusOf: (answer: unknown) => CallStatus,
  ) {
    this.#watch = watch;
    this.#operation = operation;
    this.#statusOf = statusOf;
  }

  make<T>(jobs: number, call: Call, make: () => T): T {
    const span = this.#watch.trace?.call(this.#operation, jobs);
    const startedAt = performance.now();
    let answer: T;
    try {
      answer = span === undefined ? make() : span.run(make);
    } catch (error) {
      this.#end(span, jobs, 'threw', startedAt);
      throw error;
    }
    if (isThenable(answer))
      return this.#follow(answer, call, (status) => this.#end(span, jobs, status, startedAt)) as T;
    this.#end(span, jobs, this.#statusOf(answer), startedAt);
    return answer;
  }

  #follow(answer: PromiseLike<unknown>, call: Call, tell: (status: CallStatus) => void): Promise<unknown> {
    let hasEnded = false;
    const end = (status: CallStatus): void => {
      if (!hasEnded) tell(status);
      hasEnded = true;
    };
    // A lazy thenable begins its work at each `then`: only the promise made of it may be asked twice.
    const promise = Promise.resolve(answer);
    // A call that never ends is given up by its chunk: here it ends with its deadline.
    call.onAbort((reason) => end(reason instanceof CallTimeoutError ? 'timeout' : 'aborted'));
    promise.then(
      (value) => end(this.#statusOf(value)),
      () => end('threw'),
    );
    return promise;
  }

  #end(span: Span, jobs: number, status: CallStatus, startedAt: number): void {
    span?.end(status);
    const { type, provider, onCall } = this.#watch;
    const operation = this.#operation;
    onCall?.({ type, provider, operation, jobs, status, durationMs: performance.now() - startedAt });
  }
}
