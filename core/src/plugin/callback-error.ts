/**
 * Thrown by a callback handler that does not believe a request or cannot read it. The host looks at
 * `callbackStatus` and `code`, not at the class: it may come from another copy of this package.
 */
export class CallbackRefusedError extends Error {
  override readonly name = 'CallbackRefusedError';
  readonly callbackStatus: 400 | 401;
  /** Stable, snake_case. */
  readonly code: string;

  constructor(callbackStatus: 400 | 401, code: string, message: string) {
    super(message);
    this.callbackStatus = callbackStatus;
    this.code = code;
  }
}

/**
 * Makes the error that refuses a callback. Its message is shown to the caller and kept in the audit
 * log: say what is wrong, and quote nothing of the body.
 *
 * @param status 401: the signature is missing, wrong, too old or seen before. 400: it is genuine, but makes no sense.
 * @example
 * if (!isGenuine(request)) throw callbackRefused(401, 'invalid_signature', 'The signature is wrong');
 */
export function callbackRefused(status: 400 | 401, code: string, message: string): CallbackRefusedError {
  return new CallbackRefusedError(status, code, message);
}

/** The status and code of a refused callback; undefined for any other error. */
export function refusedCallback(
  error: unknown,
): { readonly status: 400 | 401; readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const { callbackStatus, code } = error as { callbackStatus?: unknown; code?: unknown };
  if ((callbackStatus !== 400 && callbackStatus !== 401) || typeof code !== 'string') return undefined;
  return { status: callbackStatus, code, message: error.message };
}
