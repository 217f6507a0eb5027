import { BatchSenderError } from './errors.ts';
import type { Registry } from './registry.ts';

/** The types that this engine runs, with the versions of their modules. @throws BatchSenderError `unknown_type` */
export function versionsOf(registry: Registry, types: readonly string[] | undefined): Record<string, number> {
  const installed = registry.list().map(({ module }) => [module.type, module.version] as const);
  const missing = types?.find((type) => registry.get(type) === undefined);
  if (missing !== undefined) {
    const known = installed.map(([type]) => type).join(', ') || 'none';
    throw new BatchSenderError(
      'unknown_type',
      `No installed plugin has the type '${missing}', which this engine is to run. Installed: ${known}`,
    );
  }
  return Object.fromEntries(installed.filter(([type]) => types?.includes(type) ?? true));
}
