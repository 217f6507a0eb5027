import type { JsonObject, Provider } from '../../plugin/index.ts';
import { BatchSenderError, InvalidInputError, type Problem } from '../errors.ts';
import { valueProblems } from '../intake/payload-check.ts';
import type { RegisteredModule, Registry } from '../registry.ts';
import { withDefaults } from './credentials.ts';

/** Most bytes of credentials as JSON: a private key has some kilobytes. */
const MAX_BYTES = 65_536;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The provider that a connection is for. @throws BatchSenderError `unknown_type`, `unknown_provider` */
export function providerFor(
  registry: Registry,
  type: string,
  name: string,
): { readonly registered: RegisteredModule; readonly provider: Provider } {
  const registered = registry.get(type);
  if (registered === undefined) {
    const types = registry.list().map(({ module }) => module.type);
    throw new BatchSenderError(
      'unknown_type',
      `No installed plugin has the type '${type}'. Installed: ${types.join(', ') || 'none'}`,
    );
  }
  const provider = registry.provider(type, name);
  if (provider !== undefined) return { registered, provider };
  const names = Object.keys(registered.module.providers);
  throw new BatchSenderError(
    'unknown_provider',
    `Type '${type}' has no provider '${name}': use ${names.join(' or ')}`,
  );
}

/** @throws InvalidInputError `invalid_connection`, with JSON pointers and without values. */
export function checkConnection(
  provider: Provider,
  { name, credentials }: { readonly name?: string; readonly credentials?: JsonObject },
): void {
  const problems: Problem[] = [];
  if (name !== undefined && !NAME.test(name)) {
    const message = 'must have 1 to 63 of a-z, 0-9 and "-", and not begin with "-"';
    problems.push({ path: '/name', code: 'invalid_value', message });
  }
  if (credentials !== undefined) problems.push(...credentialsProblems(provider, credentials));
  if (problems.length === 0) return;
  throw new InvalidInputError(
    'invalid_connection',
    'The connection is invalid; nothing was stored',
    problems,
  );
}

function credentialsProblems({ credentials: schema }: Provider, credentials: JsonObject): Problem[] {
  if (Buffer.byteLength(JSON.stringify(credentials)) > MAX_BYTES) {
    return [{ path: '/credentials', code: 'invalid_value', message: `must have at most ${MAX_BYTES} bytes` }];
  }
  return valueProblems(schema, withDefaults(schema, credentials)).map((problem) => ({
    ...problem,
    path: `/credentials${problem.path}`,
  }));
}
