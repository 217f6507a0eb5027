import type { Call, Session } from '../../plugin/index.ts';
import type { CallObservation, EngineObserver, WorkLabels } from '../observer.ts';
import { type ActiveCall, CallTimeoutError } from '../runner/active-call.ts';
import { isThenable } from '../runner/invoke.ts';
import { batchStatus, type CallStatus, resolveStatus, resultStatus } from './call-status.ts';
import type { ChunkTrace } from './chunk-trace.ts';

/** What is told of the calls of one chunk. */
export interface CallWatch extends WorkLabels {
  readonly onCall: EngineObserver['onCall'];
  /** Undefined if the chunk is not traced. */
  readonly trace: ChunkTrace | undefined;
}

interface Asked {
  readonly operation: CallObservation['operation'];
  readonly jobs: number;
  readonly statusOf: (answer: unknown) => CallStatus;
  readonly call: Call;
}

/** A session whose calls are measured and traced; what they answer and throw stays as it is. */
export function watchSession(session: Session, watch: CallWatch): Session {
  const { resolve } = session;
  const asking: Pick<Session, 'resolve'> =
    resolve === undefined
      ? {}
      : {
          resolve: (jobs, call) =>
            made(watch, { operation: 'resolve', jobs: jobs.length, statusOf: resolveStatus, call }, () =>
              resolve.call(session, jobs, call),
            ),
        };
  if (session.process !== undefined) {
    return {
      ...asking,
      process: (job, call) =>
        made(watch, { operation: 'call', jobs: 1, statusOf: resultStatus, call }, () =>
          session.process(job, call),
        ),
    };
  }
  return {
    ...asking,
    processBatch: (jobs, call) =>
      made(watch, { operation: 'call', jobs: jobs.length, statusOf: batchStatus, call }, () =>
        session.processBatch(jobs, call),
      ),
  };
}

function made<T>(watch: CallWatch, asked: Asked, make: () => T): T {
  const watched = new WatchedCall(watch, asked);
  let answer: T;
  try {
    answer = watched.run(make);
  } catch (error) {
    watched.end('threw');
    throw error;
  }
  if (!isThenable(answer)) {
    watched.end(asked.statusOf(answer));
    return answer;
  }
  // A lazy thenable begins its work at each `then`: only the promise made of it may be asked twice.
  const promise = Promise.resolve(answer);
  // A call that never ends is given up by its chunk: here it ends with its deadline.
  (asked.call as ActiveCall).onAbort = (reason) =>
    watched.end(reason instanceof CallTimeoutError ? 'timeout' : 'aborted');
  promise.then(
    (value) => watched.end(asked.statusOf(value)),
    () => watched.end('threw'),
  );
  return promise as T;
}

/** A call under way; its first end counts. */
class WatchedCall {
  readonly #watch: CallWatch;
  readonly #asked: Asked;
  readonly #span: ReturnType<ChunkTrace['call']> | undefined;
  readonly #startedAt = performance.now();
  #hasEnded = false;

  constructor(watch: CallWatch, asked: Asked) {
    this.#watch = watch;
    this.#asked = asked;
    this.#span = watch.trace?.call(asked.operation, asked.jobs);
  }

  run<T>(make: () => T): T {
    return this.#span === undefined ? make() : this.#span.run(make);
  }

  end(status: CallStatus): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#span?.end(status);
    const { type, provider, onCall } = this.#watch;
    const { operation, jobs } = this.#asked;
    onCall?.({ type, provider, operation, jobs, status, durationMs: performance.now() - this.#startedAt });
  }
}
