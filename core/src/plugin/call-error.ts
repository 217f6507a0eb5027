import { type ClassifyNetworkErrorOptions, classifyNetworkError } from './network-error.ts';
import { scrubText } from './scrub.ts';

/**
 * Thrown by a provider to say that no byte of the call left, so that the engine calls again
 * under every guarantee. The engine looks at `notSent` and `code`, not at the class: it may come
 * from another copy of this package.
 */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
  readonly notSent = true;
  /** Stable, snake_case. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown by a provider whose call may have been received although no answer came. */
export class LostCallError extends Error {
  override readonly name = 'LostCallError';
  readonly notSent = false;
  /** Stable, snake_case. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Wraps an error of which the author knows that no byte of the call had left.
 *
 * @example
 * const token = await fetchToken().catch((error) => { throw notSent(error); });
 */
export function notSent(error: unknown): NotSentError {
  const { code, message } = classifyNetworkError(error, { bytesWritten: false });
  if (code !== 'network_error') return new NotSentError(message, code, { cause: error });
  return new NotSentError(scrubText(error instanceof Error ? error.message : String(error)), 'not_sent', {
    cause: error,
  });
}

/**
 * Turns an error of a network call into one that the engine understands: with a stable code, a
 * message without secrets, and whether anything was sent. The provider's guarantee then decides.
 */
export function callError(
  error: unknown,
  options: ClassifyNetworkErrorOptions = {},
): NotSentError | LostCallError {
  const failure = classifyNetworkError(error, options);
  const Kind = failure.notSent ? NotSentError : LostCallError;
  return new Kind(failure.message, failure.code, { cause: error });
}

/** True for errors that say that no byte of the call had left. */
export function isNotSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { notSent?: unknown }).notSent === true;
}
