/** A stable code of an error that a caller can act on. */
export type ErrorCode =
  | 'unknown_type'
  | 'unknown_provider'
  | 'invalid_batch'
  | 'invalid_payload'
  | 'invalid_template'
  | 'empty_upload'
  | 'batch_not_found'
  | 'batch_not_open'
  | 'batch_state_conflict'
  | 'upload_in_progress'
  | 'upload_lost'
  | 'job_not_found'
  | 'job_not_unknown'
  | 'unknown_connection'
  | 'connection_mismatch'
  | 'invalid_connection'
  | 'no_sandbox'
  | 'connection_not_found'
  | 'invalid_recipient'
  | 'callback_not_found'
  | 'callback_refused'
  | 'callback_invalid'
  | 'connection_exists'
  | 'connection_in_use'
  | 'connection_is_default'
  | 'connection_not_authorized'
  | 'secret_key_missing'
  | 'secret_key_wrong'
  | 'secret_key_invalid'
  | 'public_url_missing'
  | 'oauth_unsupported'
  | 'oauth_state_invalid'
  | 'oauth_refused'
  | 'invalid_cursor'
  | 'idempotency_key_reused'
  | 'idempotency_key_lost'
  | 'plugin_invalid'
  | 'pooler_detected'
  | 'engine_stopped';

/** An error that a caller can act on. */
export class BatchSenderError extends Error {
  override readonly name: string = 'BatchSenderError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One place in the input that is wrong. */
export interface Problem {
  /** Index of the job in its submission or upload, from 0; absent for the batch itself. */
  readonly index?: number;
  /** Instead of the index, where the caller gave the row's line: from 1. */
  readonly line?: number;
  /** JSON pointer, into the payload for a job, else into the batch. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** The input is invalid; nothing of it was stored. At most 100 problems are listed. */
export class InvalidInputError extends BatchSenderError {
  override readonly name = 'InvalidInputError';
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, problems: readonly Problem[]) {
    super(code, message);
    this.problems = problems;
  }
}
