import type { JsonObject, Module, Provider } from '@batchsender/core/plugin';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { StartError } from '../cli/start-error.ts';
import { coerce } from '../coerce.ts';
import { type Environment, readVariable } from './environment.ts';

/** The default connections that the environment describes. */
export interface Connections {
  /** Credentials of a provider's default connection; undefined if it has no usable ones. */
  credentials(type: string, provider: string): JsonObject | undefined;
  /** All of them, by `type.provider`. */
  readonly all: Readonly<Record<string, JsonObject>>;
  /** The variables that may hold credentials. */
  readonly variables: ReadonlySet<string>;
  /** Variables that name no field, with what is known instead. */
  readonly warnings: readonly string[];
}

/**
 * Reads `BATCHSENDER_<TYPE>_<PROVIDER>_<FIELD>` for each provider of each module.
 * @throws StartError if a provider is set up in part, or a value does not fit its schema.
 */
export function readConnections(
  env: Environment,
  modules: readonly Module[],
  known: ReadonlySet<string>,
): Connections {
  const found = new Map<string, JsonObject>();
  const own = new Set<string>();
  for (const module of modules) {
    for (const [name, provider] of Object.entries(module.providers)) {
      const prefix = variablePrefix(module.type, name);
      for (const field of Object.keys(fieldsOf(provider.credentials))) own.add(prefix + upperSnake(field));
      const credentials = readProvider(env, prefix, provider);
      if (credentials !== undefined) found.set(`${module.type}.${name}`, credentials);
    }
  }
  return {
    credentials: (type, provider) => found.get(`${type}.${provider}`),
    all: Object.fromEntries(found),
    variables: own,
    warnings: unknownVariables(env, new Set([...known, ...own])),
  };
}

/** `signingSecret` as `SIGNING_SECRET`, `baseURL` as `BASE_URL`. */
export function upperSnake(field: string): string {
  return field
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}

/** The beginning of the names of a provider's variables. */
const variablePrefix = (type: string, provider: string): string =>
  `BATCHSENDER_${type.toUpperCase()}_${provider.toUpperCase()}_`;

/** The names of the variables without which a provider has no credentials. */
export function requiredVariables(
  type: string,
  name: string,
  provider: Provider<never, never>,
): readonly string[] {
  const { required } = provider.credentials as { required?: readonly string[] };
  return (required ?? []).map((field) => variablePrefix(type, name) + upperSnake(field));
}

/** Fields of an object schema, or of the members of a union of them. */
function fieldsOf(schema: TSchema): Record<string, TSchema> {
  const { properties, anyOf, oneOf, allOf } = schema as {
    properties?: Record<string, TSchema>;
    anyOf?: TSchema[];
    oneOf?: TSchema[];
    allOf?: TSchema[];
  };
  const members = [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? [])];
  return Object.assign({}, ...members.map(fieldsOf), properties) as Record<string, TSchema>;
}

function readProvider(
  env: Environment,
  prefix: string,
  provider: Provider<never, never>,
): JsonObject | undefined {
  const given = Object.entries(fieldsOf(provider.credentials)).flatMap(([field, schema]) => {
    const text = readVariable(env, prefix + upperSnake(field));
    return text === undefined ? [] : [[field, coerce(schema, text)] as const];
  });
  const credentials = Value.Default(provider.credentials, Object.fromEntries(given)) as JsonObject;
  if (Value.Check(provider.credentials, credentials)) return credentials;
  if (given.length === 0) return undefined;
  throw new StartError(problemsOf(prefix, provider, credentials, given[0]?.[0] ?? ''));
}

function problemsOf(
  prefix: string,
  provider: Provider<never, never>,
  credentials: unknown,
  first: string,
): string {
  const lines = Value.Errors(provider.credentials, credentials).flatMap((error) => {
    if (error.keyword === 'required') {
      return error.params.requiredProperties.map(
        (name) =>
          `${prefix}${upperSnake(name)} is missing. ${provider.title} needs it, because ` +
          `${prefix}${upperSnake(first)} is set. Set it, or take the others away.`,
      );
    }
    const field = error.instancePath.split('/')[1];
    return field === undefined ? [] : [`${prefix}${upperSnake(field)} is not valid: it ${error.message}.`];
  });
  const fallback = `The variables ${prefix}… do not make credentials of ${provider.title}.`;
  return lines.length === 0 ? fallback : [...new Set(lines)].join('\n');
}

function unknownVariables(env: Environment, known: ReadonlySet<string>): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('BATCHSENDER_') && env[name])
    .filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')))
    .map((name) => `${name} is set, but nothing reads it.${hint(name, known)}`);
}

function hint(name: string, known: ReadonlySet<string>): string {
  const family = /^BATCHSENDER_[^_]+_[^_]+_/.exec(name)?.[0];
  const relatives = family === undefined ? [] : [...known].filter((other) => other.startsWith(family));
  return relatives.length === 0 ? '' : ` Known are ${relatives.join(', ')}.`;
}
