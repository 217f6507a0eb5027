import { failed } from '../../../src/plugin/index.ts';
import { inProcess, ofBatch } from '../../helpers/break-plugin.ts';
import { ANSWERS, CASES, describeDefects } from '../../helpers/defects.ts';

describeDefects([
  {
    name: 'leaves results out',
    batchSize: 5,
    break: ofBatch((results) => results.slice(1)),
    fails: [...ANSWERS, CASES.oneEach, CASES.others],
  },
  {
    name: 'names foreign jobs',
    batchSize: 5,
    break: ofBatch((results) => results.map((result) => ({ ...result, jobId: 'x' }))),
    fails: [...ANSWERS, CASES.oneEach, CASES.others],
  },
  {
    name: 'answers in another order',
    batchSize: 5,
    break: ofBatch((results) => results.reverse()),
    fails: [CASES.others],
  },
  {
    name: 'sinks a call for one bad row',
    batchSize: 5,
    break: ofBatch((results) =>
      results.some(({ status }) => status === 'failed') ? results.map(() => failed('bad_row')) : results,
    ),
    fails: [CASES.others],
  },
  {
    name: 'repeats by itself',
    break: inProcess(async (run) => {
      const result = await run();
      return result.status === 'throttled' ? run() : result;
    }),
    fails: [CASES.oneTry],
  },
]);
