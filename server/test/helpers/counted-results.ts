import type { Engine } from '@batchsender/core';

/** An engine that tells how much of its results was taken. */
export interface CountedResults {
  readonly engine: Engine;
  /** Rows that were handed on. */
  rows(): number;
  /** Exports that ended or were left. */
  ended(): number;
}

/** Counts what is read of an engine's results; all else is the engine's own. */
export function countedResults(engine: Engine): CountedResults {
  let rows = 0;
  let ended = 0;
  const results: Engine['results'] = async (...parameters) => {
    const own = await engine.results(...parameters);
    async function* counted() {
      try {
        for await (const block of own) {
          rows += block.length;
          yield block;
        }
      } finally {
        ended++;
      }
    }
    return { batch: own.batch, columns: own.columns, [Symbol.asyncIterator]: counted };
  };
  const get = (target: Engine, key: keyof Engine): unknown => {
    if (key === 'results') return results;
    const value: unknown = target[key];
    return typeof value === 'function' ? value.bind(target) : value;
  };
  return {
    engine: new Proxy(engine, { get: (target, key) => get(target, key as keyof Engine) }),
    rows: () => rows,
    ended: () => ended,
  };
}
