import type { Module, Plugin, Provider } from '@batchsender/core/plugin';
import { type Connections, requiredVariables } from './connections.ts';

/** The name of a provider that reaches nobody. */
const SANDBOX = 'sandbox';

/** Plugins whose modules' first provider, the default one, can work. */
export interface Usable {
  readonly plugins: readonly Plugin[];
  /** What to say at the start: which modules fell back to their sandbox, or cannot send at all. */
  readonly notices: readonly string[];
}

/**
 * Puts first the providers that have credentials, since the first one is a module's default. A
 * module whose real providers have none falls back to its sandbox.
 */
export function preferUsable(plugins: readonly Plugin[], connections: Connections): Usable {
  const notices: string[] = [];
  const ordered = plugins.map((plugin) => ({
    ...plugin,
    modules: plugin.modules.map((module) => {
      const { providers, notice } = orderProviders(module, connections);
      if (notice !== undefined) notices.push(notice);
      return { ...module, providers };
    }),
  }));
  return { plugins: ordered, notices };
}

type Providers = Module['providers'];

function orderProviders(module: Module, connections: Connections): { providers: Providers; notice?: string } {
  const entries = Object.entries(module.providers);
  const isUsable = ([name]: [string, unknown]): boolean =>
    connections.credentials(module.type, name) !== undefined;
  const real = entries.filter(([name]) => name !== SANDBOX);
  const sandbox = entries.filter(([name]) => name === SANDBOX);
  const usable = real.filter(isUsable);
  const rest = real.filter((entry) => !isUsable(entry));
  if (usable.length > 0) return { providers: Object.fromEntries([...usable, ...rest, ...sandbox]) };
  const providers = Object.fromEntries([...sandbox, ...rest]);
  // A module that has a sandbox only is meant to be one.
  return real.length === 0 ? { providers } : { providers, notice: noticeFor(module, real, sandbox[0]?.[1]) };
}

function noticeFor(
  module: Module,
  real: readonly [string, Provider<never, never>][],
  sandbox: Provider<never, never> | undefined,
): string {
  const names = real.map((entry) => entry[0]).join(', ');
  const [name, provider] = real[0] as [string, Provider<never, never>];
  const problem = `${module.type}: no credentials for ${names}, so its jobs`;
  const remedy = `To send, set ${requiredVariables(module.type, name, provider).join(', ')}.`;
  if (sandbox === undefined) return `${problem} cannot be sent. ${remedy}`;
  // Of the sandbox, its schema says best what it does with the jobs.
  const { description } = sandbox.credentials as { description?: string };
  const more = description === undefined ? '' : ` ${description}`;
  return `${problem} go to the sandbox and reach nobody.${more} ${remedy}`;
}
