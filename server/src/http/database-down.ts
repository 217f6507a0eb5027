/** Codes of sockets and of Postgres that mean: not now, perhaps later. */
const DOWN = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // a Unix socket that is gone
  '25P03', // idle_in_transaction_session_timeout
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available, after lock_timeout
  '57014', // query_canceled, after statement_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
]);

/** Codes of a Postgres that answers, and cannot write now. */
const UNWRITABLE = new Set([
  '25006', // read_only_sql_transaction: a standby, or an operator's order
  '53000', // insufficient_resources
  '53100', // disk_full
  '53200', // out_of_memory
  '53400', // configuration_limit_exceeded
  '58030', // io_error
]);

/** Messages of `pg` and `pg-pool` for errors that carry no code (pg 8.23). */
const DOWN_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** True if an error says that the database does not answer, at any depth of its causes. */
export function isDatabaseDown(error: unknown): boolean {
  return someCause(
    error,
    ({ code, message }) =>
      (typeof code === 'string' && (DOWN.has(code) || /^08[0-9A-Z]{3}$/.test(code))) ||
      DOWN_MESSAGE.test(message),
  );
}

/** True if an error says that the database takes no writes now: its disk is full, or it is read-only. */
export function isDatabaseUnwritable(error: unknown): boolean {
  return someCause(error, ({ code }) => typeof code === 'string' && UNWRITABLE.has(code));
}

type CodedError = Error & { readonly code?: unknown };

function someCause(error: unknown, is: (error: CodedError) => boolean, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  if (is(error)) return true;
  if (error instanceof AggregateError && error.errors.some((inner) => someCause(inner, is, depth + 1)))
    return true;
  return someCause(error.cause, is, depth + 1);
}
