import type { Logger } from 'pino';
import { createLogger } from '../logging.ts';
import { withVariables } from '../settings/environment.ts';
import { readSettings } from '../settings.ts';
import { serverVersion } from '../version.ts';
import { type Command, helpText, parseArguments } from './arguments.ts';
import { banner, keyLines } from './banner.ts';
import { startMessage } from './explain.ts';
import { onStopSignal } from './signals.ts';

/** Runs the command line to its end. Exit codes: 0 stopped or shown, 1 could not start or broke. */
export async function run(args: readonly string[]): Promise<void> {
  const resources = new AsyncDisposableStack();
  try {
    const command = parseArguments(args);
    const version = serverVersion();
    if (command.name === 'version') process.stdout.write(`${version}\n`);
    else if (command.name === 'help') process.stdout.write(helpText(version));
    else if (command.name === 'rotate-secrets') await rotate(resources);
    else await serve(version, command, resources);
  } catch (error) {
    process.stderr.write(`${startMessage(error)}\n`);
    // The first error is the one to tell of.
    await resources.disposeAsync().catch(() => undefined);
    process.exit(1);
  }
}

async function rotate(resources: AsyncDisposableStack): Promise<void> {
  const settings = readSettings(process.env, process.cwd());
  const logger = createLogger('warn');
  const { rotateSecrets } = await import('./rotate-secrets.ts');
  const { text, isComplete } = await rotateSecrets({ settings, logger, resources });
  await resources.disposeAsync();
  process.stdout.write(`${text}\n`);
  // All that writes is closed: nothing else keeps the process.
  process.exitCode = isComplete ? 0 : 1;
}

async function serve(version: string, command: Command, resources: AsyncDisposableStack): Promise<void> {
  const cwd = process.cwd();
  const env = withVariables(process.env, command.variables);
  const settings = readSettings(env, cwd);
  const logger = createLogger(settings.logLevel);
  handleStop(logger, resources);
  // Imported late: a wrong setting is told of at once.
  const { startServer } = await import('./server.ts');
  let madeKey: string | undefined;
  try {
    const facts = await startServer({
      env,
      cwd,
      settings,
      version,
      logger,
      resources,
      onDatabaseLost: () => stop(logger, resources, 1, 'the embedded database ended; stopping'),
      onKeyMade: (key) => {
        madeKey = key;
      },
    });
    if (process.stdout.isTTY) process.stdout.write(`${banner(facts, madeKey)}\n`);
    else showKey(madeKey);
    const { url, dataDir, plugins, role, types } = facts;
    const names = plugins.map(({ name }) => name);
    logger.info({ url, version, role, types, dataDir, plugins: names }, 'BatchSender is ready');
  } catch (error) {
    showKey(madeKey);
    throw error;
  }
}

function showKey(madeKey: string | undefined): void {
  if (madeKey !== undefined) process.stdout.write(`${keyLines(madeKey).join('\n')}\n`);
}

function handleStop(logger: Logger, resources: AsyncDisposableStack): void {
  onStopSignal(
    process,
    () => stop(logger, resources, 0, 'stopping; a second signal stops at once'),
    () => process.exit(1),
  );
}

function stop(logger: Logger, resources: AsyncDisposableStack, code: number, message: string): void {
  logger.info(message);
  resources.disposeAsync().then(
    () => process.exit(code),
    (error: unknown) => {
      logger.error({ err: error }, 'stopping failed');
      process.exit(1);
    },
  );
}
