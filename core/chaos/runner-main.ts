/**
 * An engine in a process of its own, to be killed, stopped and lied to. Argument: JSON of
 * `RunnerSetup`. It tells `ready` to its parent, and ends by SIGTERM or when its parent is gone.
 */
import { createEngine } from '../src/create-engine.ts';
import type { Logger } from '../src/plugin/index.ts';
import { ledgerPlugin } from './ledger-plugin.ts';
import type { RunnerOrder, RunnerSetup } from './runner-process.ts';

const setup = JSON.parse(process.argv[2] ?? '') as RunnerSetup;
const tell = (message: object) => process.connected && process.send?.(message);

if (setup.clockJumpMs !== undefined) jumpingClock(setup.clockJumpMs);

const note =
  (level: string) =>
  (fields: object, message?: string): void => {
    const { err } = fields as { err?: Error };
    tell({ level, message, error: err?.message });
  };
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: note('warn'),
  error: note('error'),
};

const engine = createEngine({
  database: setup.database,
  plugins: [ledgerPlugin(setup.plugin)],
  credentials: () => ({ url: setup.receiverUrl }),
  allowNetworks: ['127.0.0.0/8'],
  logger,
  ...(setup.tuning === undefined ? {} : { tuning: setup.tuning }),
});

async function stop(): Promise<void> {
  const startedAt = performance.now();
  await engine.stop({ graceMs: setup.graceMs ?? 10_000 });
  tell({ stoppedInMs: Math.round(performance.now() - startedAt) });
  process.exit(0);
}

process.once('SIGTERM', () => void stop());
process.once('disconnect', () => process.exit(1));
process.on('message', async (order: RunnerOrder) => {
  const work = order.seal === undefined ? engine.submit(order.submit) : engine.seal(order.seal);
  tell(
    await work.then(
      ({ id }) => ({ done: id }),
      (error: Error) => ({ refused: error.message }),
    ),
  );
});
if (setup.idle === true) await engine.migrate();
else await engine.start();
tell({ ready: true });

/** The wall clock is so much ahead at one look, and as much behind at the next one. */
function jumpingClock(jumpMs: number): void {
  const RealDate = Date;
  let looks = 0;
  const now = () => RealDate.now() + (looks++ % 2 === 0 ? jumpMs : -jumpMs);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args) => new target(...((args.length === 0 ? [now()] : args) as [number])),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
}
