import type { Engine, EngineOptions } from './engine/api.ts';
import { BatchEngine } from './engine/batch-engine.ts';
import { createRegistry } from './engine/create-registry.ts';
import { configuredFailpoints } from './engine/failpoints/configure.ts';
import { pluginsWithFailpoints } from './engine/failpoints/wrap-plugins.ts';
import { withFailpoints } from './engine/failpoints/wrap-store.ts';
import type { Logger } from './plugin/index.ts';
import { createPostgresStore } from './postgres/create-store.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Makes an engine. Nothing is opened before its first use.
 *
 * @example
 * const engine = createEngine({ database: process.env.DATABASE_URL, plugins: [webhook] });
 * await engine.start();
 * const batch = await engine.submit({ type: 'webhook', jobs: [{ url: 'https://example.com/hook' }] });
 *
 * @throws BatchSenderError `plugin_invalid` if a plugin cannot be registered.
 */
export function createEngine(options: EngineOptions): Engine {
  const logger = options.logger ?? silent;
  const points = configuredFailpoints(options.tuning?.failpoints, process.env, logger);
  const { plugins } = options;
  const registry = createRegistry(points === undefined ? plugins : pluginsWithFailpoints(plugins, points));
  const postgres = createPostgresStore({
    connectionString: options.database,
    schema: options.schema ?? 'batchsender',
    pools: { engine: options.pools?.engine ?? 4, api: options.pools?.api ?? 8 },
    onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
  });
  const store = points === undefined ? postgres : withFailpoints(postgres, points);
  return new BatchEngine({ options, store, registry, logger });
}
