import type { Logger } from '../../plugin/index.ts';
import type { EngineObserver } from '../observer.ts';

const FUNCTIONS = [
  'onFlush',
  'onCall',
  'onLease',
  'onLoad',
  'onRateWait',
  'onCircuit',
  'onSweep',
  'onRepairs',
  'onRecovered',
] as const satisfies readonly (keyof EngineObserver)[];

/** The observer with what its functions throw kept away from the work; each is reported once. */
export function guardObserver(observer: EngineObserver, logger: Logger): EngineObserver {
  const guarded: Record<string, (observation: never) => void> = {};
  for (const name of FUNCTIONS) {
    if (observer[name] === undefined) continue;
    let hasThrown = false;
    guarded[name] = (observation) => {
      try {
        observer[name]?.(observation);
      } catch (error) {
        if (!hasThrown) logger.error({ err: error }, `the observer's ${name} threw; its metrics are wrong`);
        hasThrown = true;
      }
    };
  }
  return guarded;
}
