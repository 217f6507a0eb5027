import { createEngine, type Engine, type EngineObserver } from '@batchsender/core';
import { startEmbeddedPostgres } from '@batchsender/core/embedded';
import type { Plugin } from '@batchsender/core/plugin';
import type { Logger } from 'pino';
import { buildApp } from '../app.ts';
import { apiKey } from '../http/auth.ts';
import { createMetrics, metricsSource } from '../metrics/metrics.ts';
import { loadPlugins } from '../plugin-loader/load.ts';
import { type Connections, readConnections } from '../settings/connections.ts';
import type { Environment } from '../settings/environment.ts';
import { preferUsable } from '../settings/usable-providers.ts';
import { knownVariables, type Settings } from '../settings.ts';
import { type BannerFacts, NO_PLUGINS, urlOf } from './banner.ts';
import { closeApp } from './close-app.ts';
import { explainDatabase, explainListen } from './explain.ts';
import { liftBlocks } from './lift-blocks.ts';

/** Calls in flight get this long to end when the server stops. */
const GRACE_MS = 20_000;

/** What a start needs. */
export interface StartOptions {
  readonly env: Environment;
  readonly cwd: string;
  readonly settings: Settings;
  readonly version: string;
  readonly logger: Logger;
  /** Takes what must be closed again; disposing it stops the server, in order. */
  readonly resources: AsyncDisposableStack;
  /** Called if the embedded database ends by itself. */
  readonly onDatabaseLost: () => void;
  /** Takes the API key if one was made: it is stored as a hash from now on, also if the start fails later. */
  readonly onKeyMade: (key: string) => void;
}

/** Starts everything. @throws StartError for what a user can mend; then dispose the resources. */
export async function startServer(options: StartOptions): Promise<BannerFacts> {
  const { settings, version, logger } = options;
  const host = await loadHost(options);
  for (const notice of host.notices) logger.warn(notice);
  const database = await openDatabase(options);
  const metrics = createMetrics('server');
  const engine = await openEngine(options, database.url, { ...host, observer: metrics.observer });
  metrics.watch(engine, { backlog: true });
  const key = await apiKey(settings.apiKey, engine.settings);
  if (key.made !== undefined) options.onKeyMade(key.made);
  const app = buildApp({
    engine,
    apiKey: key,
    version,
    logger,
    maxLineBytes: settings.maxLineBytes,
    metrics: { source: metricsSource(metrics), isPublic: settings.isMetricsPublic },
  });
  options.resources.defer(() => closeApp(app));
  await liftBlocks(engine, host.connections, logger);
  await engine.start();
  await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
    throw explainListen(error, settings);
  });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : settings.port;
  const { plugins, notices } = host;
  return {
    version,
    url: urlOf(settings.host, port),
    dataDir: database.dataDir,
    plugins,
    notices,
  };
}

interface Host {
  readonly plugins: readonly Plugin[];
  readonly connections: Connections;
  readonly notices: readonly string[];
}

async function loadHost({ env, cwd, settings }: StartOptions): Promise<Host> {
  const loaded = await loadPlugins(cwd);
  const modules = loaded.flatMap((plugin) => plugin.modules);
  const connections = readConnections(env, modules, knownVariables());
  const { plugins, notices } = preferUsable(loaded, connections);
  const more = loaded.length === 0 ? [NO_PLUGINS] : [];
  const unused =
    settings.secretKey === undefined
      ? []
      : ['BATCHSENDER_SECRET_KEY is set, but this version stores no credentials yet, so nothing uses it.'];
  return { plugins, connections, notices: [...more, ...notices, ...connections.warnings, ...unused] };
}

async function openDatabase(options: StartOptions): Promise<{ url: string; dataDir: string | undefined }> {
  const { settings, logger, resources, onDatabaseLost } = options;
  if (settings.databaseUrl !== undefined) return { url: settings.databaseUrl, dataDir: undefined };
  const postgres = await startEmbeddedPostgres({
    dataDir: settings.dataDir,
    logger,
    onUnexpectedEnd: onDatabaseLost,
  });
  resources.defer(() => postgres.stop());
  return { url: postgres.url, dataDir: postgres.dataDir };
}

async function openEngine(
  options: StartOptions,
  url: string,
  host: Host & { readonly observer: EngineObserver },
): Promise<Engine> {
  const { settings, logger, resources } = options;
  const engine = createEngine({
    database: url,
    plugins: host.plugins,
    logger,
    credentials: host.connections.credentials,
    allowNetworks: settings.allowNetworks,
    retry: settings.retry,
    observer: host.observer,
    ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
  });
  resources.defer(() => engine.stop({ graceMs: GRACE_MS }));
  await engine.migrate().catch((error: unknown) => {
    throw explainDatabase(error, url);
  });
  return engine;
}
