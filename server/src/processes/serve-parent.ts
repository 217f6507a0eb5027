import { createEngine, type Engine, type EngineOptions } from '@batchsender/core';
import type { Plugin } from '@batchsender/core/plugin';
import type { Logger } from 'pino';
import { createLogger, safeError } from '../logging.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { loadPlugins } from '../plugin-loader/load.ts';
import type { Channel } from './channel.ts';
import type { ChildCalls, ParentCalls, RunnerOrders } from './protocol.ts';

const BEAT_MS = 500;
/** After its grace period, a child has this long to write down what is left. */
const LAST_MS = 8_000;

interface Opened {
  readonly orders: RunnerOrders;
  readonly plugins: readonly Plugin[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A child's answers to its parent. Answers the function that ends the process after a grace period. */
export function serveParent(channel: Channel<ParentCalls, ChildCalls>): (graceMs: number) => void {
  let opened: Opened | undefined;
  let engine: Engine | undefined;
  let state = { ready: false, transportReady: true };
  let asking = false;

  const beat = (): void => {
    channel.tell('beat', state);
    if (engine === undefined || asking) return;
    asking = true;
    engine
      .ready()
      .then(({ runner, transport }) => ({ ready: runner, transportReady: transport }))
      .catch(() => ({ ready: false, transportReady: true }))
      .then((answer) => {
        state = answer;
        asking = false;
      });
  };
  setInterval(beat, BEAT_MS);
  beat();

  channel.serve('open', async (orders) => {
    const logger = createLogger(orders.logLevel).child({ process: 'runner' });
    reportCrashes(logger);
    opened = { orders, logger, plugins: await loadPlugins(process.cwd()), metrics: createMetrics('runner') };
  });
  channel.serve('prepare', async ({ alone }) => {
    engine = alone
      ? makeEngine(must(opened), { alone })
      : makeEngine(must(opened), {
          isolate: (chunk) => channel.ask('isolate', chunk),
          ...(await transportOf(must(opened))),
        });
    const { runnerId } = engine;
    must(opened).metrics.watch(engine, { backlog: false });
    // Chunks and leaderships name their runner only: this line tells which process that is.
    must(opened).logger.info({ pid: process.pid, runnerId, alone }, 'a runner process has its runner');
    return { runnerId };
  });
  channel.serve('work', () => must(engine).start());
  channel.serve('run', async (chunk) => {
    const solo = must(engine);
    try {
      return await solo.runIsolated(chunk);
    } finally {
      // Its share of the provider's concurrency goes back to the others.
      await solo.stop({ graceMs: 1_000 });
    }
  });
  channel.serve('metrics', () => must(opened).metrics.snapshot());
  const stop = (graceMs: number): void => {
    setTimeout(() => process.exit(1), graceMs + LAST_MS).unref();
    const ended = engine === undefined ? Promise.resolve() : engine.stop({ graceMs });
    ended.then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  channel.serve('stop', ({ graceMs }) => stop(graceMs));
  return stop;
}

/** A child for single chunks needs none: its chunk is handed to it. */
async function transportOf({ orders, logger }: Opened): Promise<Pick<EngineOptions, 'transport'>> {
  if (orders.nats === undefined) return {};
  // Loaded where it is used only: NATS' client is half a megabyte of sources.
  const { openTransport } = await import('../nats/open-transport.ts');
  return { transport: await openTransport(orders.nats, logger) };
}

function makeEngine(
  { orders, plugins, logger, metrics }: Opened,
  options: Pick<EngineOptions, 'alone' | 'isolate' | 'transport'>,
): Engine {
  const { databaseUrl, credentials, secretKeys, allowNetworks, publicUrl, retry, types } = orders;
  return createEngine({
    database: databaseUrl,
    plugins,
    logger,
    allowNetworks,
    retry,
    credentials: (type, provider) => credentials[`${type}.${provider}`],
    observer: metrics.observer,
    ...options,
    ...(secretKeys === undefined ? {} : { secretKeys }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(types === undefined ? {} : { types }),
  });
}

/** An error that nobody caught ends the child, as it should: what the log says of it names no payload. */
function reportCrashes(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: safeError(error) }, 'an error that nobody caught ends the runner process');
    process.exit(70);
  });
}

function must<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The child was not opened yet');
  return part;
}
