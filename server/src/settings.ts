import { resolve } from 'node:path';
import type { SecretKeys } from '@batchsender/core';
import { Value } from 'typebox/value';
import { StartError } from './cli/start-error.ts';
import { coerceRecord } from './coerce.ts';
import type { LogLevel } from './logging.ts';
import { type Environment, readVariable } from './settings/environment.ts';
import { type NatsSettings, natsSettings } from './settings/nats.ts';
import { HIDDEN } from './settings/nats-variables.ts';
import { parseNetworks } from './settings/networks.ts';
import { readSecretKeys } from './settings/secret-keys.ts';
import { type Role, Variables, type VariableValues } from './settings/variables.ts';

/** The server's settings. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Undefined: an embedded Postgres. */
  readonly databaseUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  readonly publicUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** Undefined: those of the embedded database, or none. */
  readonly secretKeys: SecretKeys | undefined;
  readonly logLevel: LogLevel;
  readonly allowNetworks: readonly string[];
  readonly retry: { readonly maxAttempts?: number; readonly baseMs?: number };
  readonly maxLineBytes: number;
  /** Undefined: everything is in one process. */
  readonly nats: NatsSettings | undefined;
  readonly role: Role;
  /** The types that the runner takes; undefined: all that are installed. */
  readonly types: readonly string[] | undefined;
  readonly runner: { readonly memoryMb: number | undefined; readonly silentMs: number };
  /** `/metrics` needs no API key. */
  readonly isMetricsPublic: boolean;
}

/**
 * Reads the settings from the environment.
 * @throws StartError with a line for each variable that is wrong, and its remedy.
 */
export function readSettings(env: Environment, cwd: string): Settings {
  const names = Object.keys(Variables.properties);
  const given = names.flatMap((name) => {
    const text = readVariable(env, name)?.trim();
    return text === undefined ? [] : [[name, text] as const];
  });
  const typed = coerceRecord(Variables.properties, Object.fromEntries(given));
  const values = Value.Default(Variables, typed);
  if (!Value.Check(Variables, values)) throw invalid(values, Object.fromEntries(given));
  refuseRole(values);
  return toSettings(values, cwd);
}

/** Names of all variables that the server knows, `NAME_FILE` variants included. */
export function knownVariables(): ReadonlySet<string> {
  const names = Object.keys(Variables.properties);
  return new Set(names.flatMap((name) => [name, `${name}_FILE`]));
}

/** The API and the runners of several processes meet in one database, which must be there for all of them. */
function refuseRole({
  BATCHSENDER_ROLE: role,
  DATABASE_URL: url,
  BATCHSENDER_TYPES: types,
}: VariableValues): void {
  if (role !== 'all' && url === undefined) {
    throw new StartError(
      `The role "${role}" needs DATABASE_URL, the database that it shares with the other processes. ` +
        'The embedded database is for the role "all".',
    );
  }
  if (role === 'api' && types !== '')
    throw new StartError('The role "api" runs no jobs, so it has no types. Leave BATCHSENDER_TYPES out.');
}

function typesOf({ BATCHSENDER_TYPES: list }: VariableValues): readonly string[] | undefined {
  return list === '' ? undefined : [...new Set(list.split(',').map((type) => type.trim()))];
}

/** Names of the variables whose values nobody should see; `NAME_FILE` variants are no secrets. */
export function secretVariables(): readonly string[] {
  const schemas: Record<string, object> = Variables.properties;
  return Object.keys(schemas).filter((name) => (schemas[name] as Record<string, unknown>)[HIDDEN] === true);
}

function toSettings(values: VariableValues, cwd: string): Settings {
  const maxAttempts = values.BATCHSENDER_RETRY_MAX_ATTEMPTS;
  const baseMs = values.BATCHSENDER_RETRY_BASE_MS;
  const { networks, invalid: wrong } = parseNetworks(values.BATCHSENDER_ALLOW_NETWORKS);
  if (wrong !== undefined) throw new StartError(lineFor('BATCHSENDER_ALLOW_NETWORKS', wrong));
  return {
    port: values.PORT,
    host: values.HOST,
    databaseUrl: values.DATABASE_URL,
    dataDir: resolve(cwd, values.BATCHSENDER_DATA),
    publicUrl: values.BATCHSENDER_PUBLIC_URL?.replace(/\/+$/, ''),
    apiKey: values.BATCHSENDER_API_KEY,
    secretKeys:
      values.BATCHSENDER_SECRET_KEY === undefined ? undefined : readSecretKeys(values.BATCHSENDER_SECRET_KEY),
    logLevel: values.LOG_LEVEL,
    allowNetworks: networks,
    retry: {
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(baseMs === undefined ? {} : { baseMs }),
    },
    maxLineBytes: values.BATCHSENDER_MAX_LINE_BYTES,
    nats: natsSettings(values),
    role: values.BATCHSENDER_ROLE,
    types: typesOf(values),
    runner: {
      memoryMb: values.BATCHSENDER_RUNNER_MEMORY_MB,
      silentMs: values.BATCHSENDER_RUNNER_SILENT_MS,
    },
    isMetricsPublic: values.BATCHSENDER_METRICS_PUBLIC,
  };
}

function invalid(values: unknown, given: Readonly<Record<string, string>>): StartError {
  const names = new Set(
    Value.Errors(Variables, values).map(({ instancePath }) => instancePath.split('/')[1] ?? ''),
  );
  return new StartError([...names].map((name) => lineFor(name, given[name] ?? '')).join('\n'));
}

function lineFor(name: string, text: string): string {
  const schema = (Variables.properties as Record<string, object>)[name] as Record<string, unknown>;
  const shown = schema[HIDDEN] === true ? 'the value' : JSON.stringify(text);
  const [example] = schema['examples'] as string[];
  return `${name}: ${shown} is not valid: it must be ${schema['description']}. For example ${name}=${example}`;
}
