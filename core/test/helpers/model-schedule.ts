import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ActionEnv,
  endLeadership,
  resolve,
  steal,
  steer,
  submit,
  submitInside,
  submitSingles,
  unblock,
  upload,
} from './model-actions.ts';
import { ModelJournal } from './model-journal.ts';
import { type Random, skew } from './model-random.ts';
import { report } from './model-receipts.ts';
import type { ModelWorld } from './model-world.ts';

/** How often each thing is done, relative to the others. */
const WEIGHTS = {
  submit: 20,
  inside: 3,
  singles: 4,
  upload: 12,
  seal: 7,
  pause: 4,
  resume: 7,
  cancel: 3,
  retry: 8,
  resolve: 5,
  report: 8,
  unblock: 4,
  start: 5,
  kill: 3,
  stop: 1.5,
  stall: 4,
  cut: 4,
  loseReplies: 10,
  endLeadership: 2,
  steal: 3,
};

type ActionName = keyof typeof WEIGHTS;

const MOST_ENGINES = 3;
/** Statements whose replies are worth losing. */
const PRECIOUS = [
  'bs_flush',
  'bs_fence',
  'bs_lease',
  'bs_batch',
  'bs_slice',
  'bs_retry',
  'bs_cancel',
  'bs_receipts',
  'COMMIT',
  'INSERT',
  'UPDATE',
];

/** Does random things for a while, many at once, and waits until all of them have ended. */
export async function runSchedule(world: ModelWorld, random: Random, forMs: number): Promise<ModelJournal> {
  const journal = new ModelJournal();
  const running = new Set<Promise<void>>();
  const weights = skew(WEIGHTS, random);
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const engine = world.up.length === 0 ? await world.start() : random.pick(world.up);
    const action = random.weighted(weights);
    const work = act({ world, journal, random, engine }, action)
      .catch((error: unknown) => world.unexpected(error, action))
      .finally(() => running.delete(work));
    running.add(work);
    await sleep(random.int(2, 40));
  }
  await Promise.all(running);
  return journal;
}

async function act(env: ActionEnv, action: ActionName): Promise<void> {
  const { world, random, engine } = env;
  switch (action) {
    case 'submit':
      return submit(env);
    case 'inside':
      return submitInside(env);
    case 'singles':
      return submitSingles(env);
    case 'upload':
      return upload(env);
    case 'resolve':
      return resolve(env);
    case 'report':
      return report(env);
    case 'unblock':
      return unblock(env);
    case 'seal':
    case 'pause':
    case 'resume':
    case 'cancel':
    case 'retry':
      return steer(env, action);
    case 'start':
      if (world.up.length < MOST_ENGINES) await world.start();
      return;
    case 'kill':
      return world.kill(engine);
    case 'stop':
      return world.stop(engine, random.int(0, 600));
    case 'stall':
      return world.stall(engine, random.int(100, 2_600));
    case 'cut':
      return engine.proxy.cut();
    case 'loseReplies':
      return engine.proxy.loseReplies([random.pick(PRECIOUS)], random.pick([1, 1, 2, 3, 12]));
    case 'steal':
      return steal(world.pool);
    case 'endLeadership':
      return endLeadership(world.pool);
  }
}
