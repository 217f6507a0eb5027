import type { ErrorCode } from '@batchsender/core';

/** Codes of errors that the HTTP layer finds itself. */
export type HttpOnlyCode =
  | 'unauthorized'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'malformed_request'
  | 'malformed_json'
  | 'forbidden_key'
  | 'invalid_request'
  | 'invalid_query'
  | 'invalid_idempotency_key'
  | 'idempotency_in_progress'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'invalid_line'
  | 'invalid_header'
  | 'invalid_compression'
  | 'expands_too_much'
  | 'invalid_multipart'
  | 'line_too_long'
  | 'upload_stalled'
  | 'upload_cut'
  | 'runner_not_ready'
  | 'nats_unavailable'
  | 'database_unavailable'
  | 'internal_error';

/** Every `code` that an answer of the API may carry. */
export type ProblemCode = ErrorCode | HttpOnlyCode;

/** Status and title of an error; `docs/errors.md` shows the same table with remedies. */
export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
}

/** The one place that maps codes to statuses. */
export const ERROR_TABLE: { readonly [code in ProblemCode]: ErrorEntry } = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP for this API' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  forbidden_key: { status: 400, title: 'The body has a key that is not allowed' },
  invalid_query: { status: 400, title: 'A query parameter is not valid' },
  callback_invalid: { status: 400, title: 'The callback makes no sense' },
  invalid_cursor: { status: 400, title: 'The cursor is not valid' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key header is not valid' },
  invalid_compression: { status: 400, title: 'The compressed body is not valid' },
  invalid_multipart: { status: 400, title: 'The multipart form is not valid' },
  unauthorized: { status: 401, title: 'The API key is missing or wrong' },
  callback_refused: { status: 401, title: 'The callback is not believed' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  batch_not_found: { status: 404, title: 'There is no such batch' },
  job_not_found: { status: 404, title: 'There is no such job' },
  connection_not_found: { status: 404, title: 'There is no such connection' },
  callback_not_found: { status: 404, title: 'There is no such callback' },
  oauth_state_invalid: { status: 400, title: 'The grant is not known' },
  method_not_allowed: { status: 405, title: 'This address does not take this method' },
  not_acceptable: { status: 406, title: 'The results do not come in this form' },
  upload_stalled: { status: 408, title: 'The upload stopped sending' },
  upload_cut: { status: 400, title: 'The body ended too early' },
  batch_not_open: { status: 409, title: 'The batch does not take jobs any more' },
  batch_state_conflict: { status: 409, title: "The batch's state does not allow this" },
  upload_in_progress: { status: 409, title: 'Another upload into this batch is running' },
  upload_lost: { status: 409, title: 'The upload was given up' },
  connection_exists: { status: 409, title: 'There is a connection of this name' },
  connection_in_use: { status: 409, title: 'Batches use the connection' },
  connection_is_default: { status: 409, title: "The connection's credentials come from the settings" },
  connection_not_authorized: { status: 409, title: 'Nobody has granted access yet' },
  secret_key_missing: { status: 409, title: 'The server has no key for these credentials' },
  secret_key_wrong: { status: 409, title: 'The key of the server does not open these credentials' },
  public_url_missing: { status: 409, title: 'The server does not know its public URL' },
  oauth_unsupported: { status: 409, title: 'The provider grants no access by OAuth' },
  job_not_unknown: { status: 409, title: 'The outcome of the job is known' },
  idempotency_in_progress: { status: 409, title: 'A request with this Idempotency-Key is still running' },
  body_too_large: { status: 413, title: 'The body is too large' },
  expands_too_much: { status: 413, title: 'The compressed body expands too much' },
  line_too_long: { status: 413, title: 'A line is too long' },
  unsupported_media_type: { status: 415, title: 'The content type is not accepted here' },
  invalid_request: { status: 422, title: 'The body is not valid' },
  invalid_line: { status: 422, title: 'A line is not valid' },
  invalid_header: { status: 422, title: 'The header of the CSV cannot be used' },
  invalid_batch: { status: 422, title: 'The batch is not valid' },
  invalid_payload: { status: 422, title: 'A payload is not valid' },
  invalid_recipient: { status: 422, title: 'A recipient is not valid' },
  invalid_template: { status: 422, title: 'A template is not valid' },
  unknown_type: { status: 422, title: 'No installed plugin has this job type' },
  unknown_provider: { status: 422, title: 'The module has no such provider' },
  unknown_connection: { status: 422, title: 'There is no connection of this name' },
  connection_mismatch: { status: 422, title: 'The connection is for another provider' },
  invalid_connection: { status: 422, title: 'The connection is not valid' },
  no_sandbox: { status: 422, title: 'The module has no sandbox' },
  empty_upload: { status: 422, title: 'The upload has no jobs' },
  idempotency_key_lost: { status: 409, title: 'The Idempotency-Key is not held any more' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  secret_key_invalid: { status: 500, title: 'The secret keys are not valid' },
  plugin_invalid: { status: 500, title: 'A plugin is not valid' },
  oauth_refused: { status: 502, title: 'Access was not granted' },
  pooler_detected: { status: 503, title: 'The database is behind a transaction pooler' },
  database_unavailable: { status: 503, title: 'The database does not answer' },
  runner_not_ready: { status: 503, title: 'The runner has no fresh heartbeat' },
  nats_unavailable: { status: 503, title: 'NATS does not answer' },
  engine_stopped: { status: 503, title: 'The server is stopping' },
};

/** True if the code is one of the table. */
export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);
}
