import type { Plugin } from '@batchsender/core/plugin';

/** The default export of `batchsender.config.ts`. */
export interface Config {
  /** Plugins, or the names of packages whose default export is one. */
  readonly plugins: readonly (Plugin | string)[];
}

/**
 * Gives the config file its types.
 *
 * @example
 * import { defineConfig } from '@batchsender/server';
 * export default defineConfig({ plugins: ['@batchsender/plugin-webhook'] });
 */
export function defineConfig(config: Config): Config {
  return config;
}
