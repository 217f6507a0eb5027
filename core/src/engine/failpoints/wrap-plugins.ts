import type { Module, Plugin, Session } from '../../plugin/index.ts';
import type { Failpoints } from './failpoints.ts';

/** Plugins whose calls go wrong where failpoints say so. */
export function pluginsWithFailpoints(plugins: readonly Plugin[], points: Failpoints): readonly Plugin[] {
  if (!points.has('call') && !points.has('resolve')) return plugins;
  return plugins.map((plugin) => ({
    ...plugin,
    modules: plugin.modules.map((module) => ({
      ...module,
      providers: Object.fromEntries(
        Object.entries(module.providers).map(([name, provider]) => [name, wrapProvider(provider, points)]),
      ),
    })),
  }));
}

type AnyProvider = Module['providers'][string];

function wrapProvider(provider: AnyProvider, points: Failpoints): AnyProvider {
  return {
    ...provider,
    open: async (credentials, context) => wrapSession(await provider.open(credentials, context), points),
  };
}

function wrapSession(session: Session, points: Failpoints): Session {
  const methods = { process: 'call', processBatch: 'call', resolve: 'resolve' } as const;
  const wrapped: Record<string, unknown> = { close: () => session.close?.() };
  for (const [name, operation] of Object.entries(methods)) {
    const method = session[name as keyof typeof methods] as ((...args: unknown[]) => unknown) | undefined;
    if (method === undefined) continue;
    wrapped[name] = (...args: unknown[]) => points.around(operation, () => method.apply(session, args));
  }
  return wrapped as unknown as Session;
}
