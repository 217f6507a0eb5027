import { createEngine, type Engine, type EngineOptions } from '@batchsender/core';
import type { Plugin } from '@batchsender/core/plugin';
import type { Logger } from 'pino';
import { createLogger, safeError } from '../logging.ts';
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
}

/** A child's answers to its parent. Answers the function that ends the process after a grace period. */
export function serveParent(channel: Channel<ParentCalls, ChildCalls>): (graceMs: number) => void {
  let opened: Opened | undefined;
  let engine: Engine | undefined;
  let ready = false;
  let asking = false;

  const beat = (): void => {
    channel.tell('beat', { ready });
    if (engine === undefined || asking) return;
    asking = true;
    engine
      .ready()
      .then(({ runner }) => runner)
      .catch(() => false)
      .then((answer) => {
        ready = answer;
        asking = false;
      });
  };
  setInterval(beat, BEAT_MS);
  beat();

  channel.serve('open', async (orders) => {
    const logger = createLogger(orders.logLevel).child({ process: 'runner' });
    reportCrashes(logger);
    opened = { orders, logger, plugins: await loadPlugins(process.cwd()) };
  });
  channel.serve('prepare', ({ alone }) => {
    engine = makeEngine(must(opened), alone ? undefined : (chunk) => channel.ask('isolate', chunk));
    return { runnerId: engine.runnerId };
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

function makeEngine({ orders, plugins, logger }: Opened, isolate: EngineOptions['isolate']): Engine {
  const { databaseUrl, credentials, allowNetworks, publicUrl, retry, types } = orders;
  return createEngine({
    database: databaseUrl,
    plugins,
    logger,
    allowNetworks,
    retry,
    credentials: (type, provider) => credentials[`${type}.${provider}`],
    ...(isolate === undefined ? { alone: true } : { isolate }),
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
