import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/create-engine.ts';
import { configuredFailpoints } from '../../../src/engine/failpoints/configure.ts';
import { parseFailpoints } from '../../../src/engine/failpoints/failpoint.ts';
import { Failpoints } from '../../../src/engine/failpoints/failpoints.ts';
import type { Logger } from '../../../src/plugin/index.ts';

const nowhere = () => undefined;
const silent: Logger = { debug: nowhere, info: nowhere, warn: nowhere, error: nowhere };
const configured = (option: string | undefined, env: NodeJS.ProcessEnv) =>
  configuredFailpoints(option, env, silent);

describe('failpoints', () => {
  it('are read with their hit, their times and their fault', () => {
    expect(parseFailpoints('after-attempted:3:kill, before-call:1x5:delay=200')).toEqual([
      { phase: 'after', operation: 'attempted', hit: 3, times: 1, fault: { kind: 'kill' } },
      { phase: 'before', operation: 'call', hit: 1, times: 5, fault: { kind: 'delay', ms: 200 } },
    ]);
    expect(parseFailpoints('')).toEqual([]);
    expect(parseFailpoints('during-follow-up:1:drop')[0]).toMatchObject({ operation: 'follow-up' });
  });

  it.each([
    ['after-attempted', 'it does not have this form'],
    ['soon-call:1:kill', 'it does not have this form'],
    ['after-fence:1:kill', "there is no 'fence'"],
    ['after-call:0:kill', 'hits count from 1'],
    ['after-call:1x0:kill', 'hits count from 1'],
    ['after-call:1:explode', "there is no fault 'explode'"],
    ['after-call:1:delay', "'delay' needs a time"],
    ['after-call:1:kill=5', "'kill' takes no time"],
    ['before-call:1:drop', 'nothing can be dropped before it is done'],
    ['before-call:1:throw,nonsense', 'it does not have this form'],
  ])("that cannot be read are refused with what is wrong and how it is written: '%s'", (text, why) => {
    expect(() => parseFailpoints(text)).toThrow(why);
    expect(() => parseFailpoints(text)).toThrow('after-attempted:3:kill');
  });

  it('are refused outside of tests unless they are allowed', () => {
    const env = { BATCHSENDER_FAILPOINTS: 'after-call:1:kill' };
    expect(() => configured(undefined, env)).toThrow('are for tests');
    expect(() => configured(undefined, { ...env, NODE_ENV: 'production' })).toThrow('are for tests');
    expect(() => configured('after-call:1:kill', {})).toThrow('are for tests');
    expect(configured(undefined, { ...env, NODE_ENV: 'test' })).toBeDefined();
    expect(configured(undefined, { ...env, BATCHSENDER_ALLOW_FAILPOINTS: '1' })).toBeDefined();
  });

  it('that are not set wrap nothing', () => {
    expect(configured(undefined, {})).toBeUndefined();
    expect(configured(undefined, { NODE_ENV: 'test', BATCHSENDER_FAILPOINTS: '' })).toBeUndefined();
    const work = async () => 1;
    expect(new Failpoints(parseFailpoints('after-call:1:throw')).wrap('lease', work)).toBe(work);
  });

  it('with an error in them make no engine', () => {
    const options = { database: 'postgres://127.0.0.1:1/none', plugins: [], tuning: { failpoints: 'x' } };
    expect(() => createEngine(options)).toThrow("The failpoint 'x' cannot be read");
  });
});

describe('a failpoint', () => {
  const failpoints = (text: string) => new Failpoints(parseFailpoints(text));
  const outcomes = async (points: Failpoints, count: number) => {
    const seen: string[] = [];
    for (let i = 0; i < count; i++) {
      const answer = points.around('flush', () => {
        seen.push('done');
        return i;
      });
      seen.push(await answer.then(String, (error: { code: string }) => error.code));
    }
    return seen;
  };

  it('fires from its hit on, as often as it says', async () => {
    const fired = await outcomes(failpoints('after-flush:2x2:throw'), 4);
    expect(fired).toEqual(['done', '0', 'done', 'failpoint', 'done', 'failpoint', 'done', '3']);
  });

  it('before an operation keeps it from being done; one that drops lets it be done', async () => {
    expect(await outcomes(failpoints('before-flush:1:throw'), 1)).toEqual(['failpoint']);
    expect(await outcomes(failpoints('during-flush:1:drop'), 1)).toEqual(['done', 'ECONNRESET']);
    expect(await outcomes(failpoints('after-flush:1:drop'), 1)).toEqual(['done', 'ECONNRESET']);
  });

  it('may delay an operation, or stall the process', async () => {
    const startedAt = performance.now();
    await failpoints('before-flush:1:delay=30').around('flush', () => undefined);
    let ticked = false;
    setTimeout(() => {
      ticked = true;
    }, 1);
    const stalling = failpoints('before-flush:1:stall=30').around('flush', () => ticked);
    expect(await stalling).toBe(false);
    expect(performance.now() - startedAt).toBeGreaterThan(55);
  });
});
