import { once } from 'node:events';
import type { Server } from 'node:http';
import { createEngine, type Engine, type EngineObserver } from '@batchsender/core';
import type { Module, Plugin } from '@batchsender/core/plugin';
import type { Logger } from 'pino';
import { buildApp } from '../app.ts';
import { type ApiKey, apiKey, keyCheck } from '../http/auth.ts';
import { createMetrics, type Metrics, metricsSource } from '../metrics/metrics.ts';
import { loadPlugins } from '../plugin-loader/load.ts';
import { healthPages, metricsPage, plainHttp, type Readiness } from '../processes/runner-http.ts';
import { Supervisor } from '../processes/supervisor.ts';
import type { App } from '../routes/app-type.ts';
import { type Connections, readConnections } from '../settings/connections.ts';
import type { Environment } from '../settings/environment.ts';
import { preferUsable } from '../settings/usable-providers.ts';
import { knownVariables, type Settings, secretVariables } from '../settings.ts';
import { type BannerFacts, NO_PLUGINS, urlOf } from './banner.ts';
import { closeApp, closePlain } from './close-app.ts';
import { explainDatabase, explainListen } from './explain.ts';
import { liftBlocks } from './lift-blocks.ts';
import { type OpenDatabase, openDatabase } from './open-database.ts';
import { StartError } from './start-error.ts';

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

/** Starts everything that the role asks for. @throws StartError for what a user can mend; then dispose the resources. */
export async function startServer(options: StartOptions): Promise<BannerFacts> {
  const { settings, version, logger } = options;
  const host = await loadHost(options);
  for (const notice of host.notices) logger.warn(notice);
  const database = await openDatabase(options);
  const metrics = createMetrics('server');
  const engine = await openEngine(options, database, host, metrics.observer);
  metrics.watch(engine, { backlog: true });
  const { role, types } = settings;
  const start = { api: startApi, runner: startRunner, all: startAll }[role];
  const port = await start({ options, engine, host, metrics, database });
  const { plugins, notices } = host;
  return {
    version,
    role,
    types,
    url: urlOf(settings.host, port),
    dataDir: database.dataDir,
    plugins,
    notices,
  };
}

/** What the parts of a server are made of. */
interface Parts {
  readonly options: StartOptions;
  /** It takes batches in and tells of them; the runner has an engine of its own, in a child process. */
  readonly engine: Engine;
  readonly host: Host;
  readonly metrics: Metrics;
  readonly database: OpenDatabase;
}

async function startAll(parts: Parts): Promise<number> {
  const key = await openKey(parts);
  const supervisor = await startSupervisor(parts);
  return listen(parts, openApp(parts, key, supervisor));
}

async function startApi(parts: Parts): Promise<number> {
  return listen(parts, openApp(parts, await openKey(parts)));
}

async function startRunner(parts: Parts): Promise<number> {
  const supervisor = await startSupervisor(parts);
  const { engine, options } = parts;
  const isReady = async (): Promise<Readiness> => {
    const { ready: runner, transportReady: transport } = supervisor;
    const database = await engine.ready().then(
      () => true,
      () => false,
    );
    return { database, runner, transport };
  };
  const source = metricsSource(parts.metrics, () => supervisor.metrics());
  const { isMetricsPublic, apiKey: given } = options.settings;
  const mayScrape = isMetricsPublic ? undefined : await keyCheck(given, engine.settings);
  const server = plainHttp({ ...healthPages(isReady), ...metricsPage(source, mayScrape) });
  options.resources.defer(() => closePlain(server));
  const { host, port } = options.settings;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw explainListen(error, options.settings);
  });
  return portOf(server, port);
}

async function openKey({ options, engine }: Parts): Promise<ApiKey> {
  const key = await apiKey(options.settings.apiKey, engine.settings);
  if (key.made !== undefined) options.onKeyMade(key.made);
  return key;
}

/** Without a supervisor the runners are in other servers. */
function openApp({ options, engine, metrics }: Parts, key: ApiKey, supervisor?: Supervisor): App {
  const { settings, version, logger, resources } = options;
  const source = metricsSource(metrics, () => supervisor?.metrics() ?? Promise.resolve([]));
  const app = buildApp({
    engine,
    apiKey: key,
    version,
    logger,
    runner: supervisor === undefined ? 'none' : () => supervisor,
    maxLineBytes: settings.maxLineBytes,
    metrics: { source, isPublic: settings.isMetricsPublic },
  });
  resources.defer(() => closeApp(app));
  return app;
}

async function listen({ options: { settings } }: Parts, app: App): Promise<number> {
  await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
    throw explainListen(error, settings);
  });
  return portOf(app.server, settings.port);
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : asked;
}

async function startSupervisor({ options, engine, host, database }: Parts): Promise<Supervisor> {
  const { settings, logger, env, resources } = options;
  const { allowNetworks, logLevel, nats, publicUrl, retry, types } = settings;
  await liftBlocks(engine, host.connections, logger);
  const supervisor = new Supervisor({
    engine,
    logger,
    env,
    secretVariables: new Set([...secretVariables(), ...host.connections.variables]),
    memoryMb: settings.runner.memoryMb,
    silentMs: settings.runner.silentMs,
    orders: {
      databaseUrl: database.url,
      credentials: host.connections.all,
      ...(database.secretKeys === undefined ? {} : { secretKeys: database.secretKeys }),
      logLevel,
      allowNetworks,
      retry,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(types === undefined ? {} : { types }),
      ...(nats === undefined ? {} : { nats }),
    },
  });
  resources.defer(() => supervisor.stop(GRACE_MS));
  await supervisor.start();
  return supervisor;
}

interface Host {
  readonly plugins: readonly Plugin[];
  readonly connections: Connections;
  readonly notices: readonly string[];
}

async function loadHost({ env, cwd, settings }: StartOptions): Promise<Host> {
  const loaded = await loadPlugins(cwd);
  const modules = loaded.flatMap((plugin) => plugin.modules);
  checkTypes(settings, modules);
  const connections = readConnections(env, modules, knownVariables());
  const { plugins, notices } = preferUsable(loaded, connections);
  const more = loaded.length === 0 ? [NO_PLUGINS] : [];
  return { plugins, connections, notices: [...more, ...notices, ...connections.warnings] };
}

/** A type that is not there is a mistake in the settings: its jobs would wait for ever. */
function checkTypes({ types }: Settings, modules: readonly Module[]): void {
  const installed = modules.map(({ type }) => type);
  const missing = types?.find((type) => !installed.includes(type));
  if (missing === undefined) return;
  throw new StartError(
    `No installed plugin has the type "${missing}", which BATCHSENDER_TYPES (--types) names. ` +
      `Installed: ${installed.join(', ') || 'none'}.`,
  );
}

async function openEngine(
  options: StartOptions,
  { url, secretKeys }: OpenDatabase,
  host: Host,
  observer: EngineObserver,
): Promise<Engine> {
  const { settings, logger, resources } = options;
  const engine = createEngine({
    database: url,
    plugins: host.plugins,
    logger,
    credentials: host.connections.credentials,
    ...(secretKeys === undefined ? {} : { secretKeys }),
    allowNetworks: settings.allowNetworks,
    retry: settings.retry,
    ...(settings.types === undefined ? {} : { types: settings.types }),
    observer,
    ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
  });
  resources.defer(() => engine.stop({ graceMs: GRACE_MS }));
  await engine.migrate().catch((error: unknown) => {
    throw explainDatabase(error, url);
  });
  return engine;
}
