import { blocked, failed, retry, succeeded, unknown } from '../../../src/plugin/index.ts';
import { inProcess, ofError } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects, LOST } from '../../helpers/defects.ts';

describeDefects([
  {
    name: 'says that nothing was sent, always',
    break: ofError(() => {
      throw Object.assign(new Error('no connection'), { code: 'no_connection', notSent: true });
    }),
    fails: LOST,
  },
  {
    name: 'fails lost calls',
    break: ofError((error) => (error.notSent ? retry('not_sent') : failed('lost'))),
    fails: LOST,
  },
  {
    name: 'takes lost calls for successes',
    break: ofError((error) => (error.notSent ? retry('not_sent') : succeeded())),
    fails: LOST,
  },
  {
    name: 'blocks after a lost call',
    break: ofError((error) => (error.notSent ? retry('not_sent') : blocked('lost'))),
    fails: LOST,
  },
  {
    name: 'does not flag a repeat',
    break: ofError((error) => (error.notSent ? retry('not_sent') : retry('lost'))),
    fails: LOST,
  },
  {
    name: 'gives up what its guarantee would repeat',
    break: ofError((error) => (error.notSent ? retry('not_sent') : unknown('lost'))),
    fails: [CASES.cut, CASES.timeout],
  },
  {
    name: 'repeats although nothing helps',
    guarantee: { kind: 'at-most-once' },
    break: ofError((error) => (error.notSent ? retry('not_sent') : retry('lost'))),
    fails: LOST,
  },
  {
    name: 'sends again what it could look up',
    guarantee: { kind: 'reconcilable', settleMs: 10 },
    break: ofError((error) => (error.notSent ? retry('not_sent') : retry('lost'))),
    fails: LOST,
  },
  {
    name: 'lets errors of the network out as they are',
    break: ofError((error) => {
      throw error.notSent ? error : new TypeError('fetch failed');
    }),
    fails: [CASES.garbage, CASES.cut],
  },
  {
    name: 'does not look at the signal',
    break: inProcess((run, job, call) =>
      run(job, { ...call, note: call.note, signal: new AbortController().signal }),
    ),
    fails: [CASES.signal, CASES.timeout],
  },
  {
    name: 'forgets a promise',
    break: ofError((error) => {
      void Promise.reject(new Error('nobody looks at this'));
      throw error;
    }),
    fails: [CASES.rejection],
  },
]);
