/** A stable code of an error of the embedded Postgres. */
export type EmbeddedPostgresErrorCode =
  | 'binaries_missing'
  | 'platform_unsupported'
  | 'binaries_unusable'
  | 'no_unprivileged_user'
  | 'folder_in_use'
  | 'folder_foreign'
  | 'folder_forbidden'
  | 'folder_lost'
  | 'version_mismatch'
  | 'port_taken'
  | 'invalid_option'
  | 'init_failed'
  | 'start_failed';

/** The embedded Postgres cannot start; the message names the place and the remedy. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True if `error` is a system error with this code, for example `ENOENT`. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
