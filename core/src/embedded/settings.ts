/** Postgres settings by name, as in `postgresql.conf`. */
export type Settings = Readonly<Record<string, string>>;

/**
 * The settings of the embedded server: durable, modest (a small machine), reachable from this
 * machine only. Given on the command line, so that a new release's settings hold from its first start.
 */
const DEFAULT_SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgres-%Y%m%d-%H%M%S.log',
  log_rotation_size: '10MB',
  log_rotation_age: '0',
  // Statements and row values are personal data: neither belongs into a log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** The arguments of `postgres` for a data folder. Equal arguments mean an equal server. */
export function postgresArguments(pgdata: string, port: number, settings: Settings = {}): string[] {
  const all: Settings = { ...DEFAULT_SETTINGS, ...settings };
  return [
    '-D',
    pgdata,
    '-p',
    String(port),
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}
