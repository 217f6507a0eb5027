import { failed, retry, succeeded, throttled } from '../../../src/plugin/index.ts';
import { inProcess, ofError, ofResult } from '../../helpers/break-plugin.ts';
import { ANSWERS, CASES, describeDefects } from '../../helpers/defects.ts';

let count = 0;

describeDefects([
  {
    name: 'cannot deliver its second sample',
    break: ofResult((result, { payload }) => (payload.to.startsWith('grace') ? failed('too_long') : result)),
    fails: [CASES.delivered],
  },
  {
    name: 'changes the payload',
    break: inProcess((run, job) => {
      job.payload.text = job.payload.text.toUpperCase();
      return run();
    }),
    fails: [CASES.changed],
  },
  {
    name: 'tries a refused job again',
    break: ofResult((result) => (result.status === 'failed' ? retry(result.code) : result)),
    fails: [CASES.refused, CASES.others],
  },
  {
    name: 'spends an attempt on a throttled call',
    break: ofResult((result) => (result.status === 'throttled' ? retry('http_429') : result)),
    fails: [CASES.throttled],
  },
  {
    name: 'does not wait when throttled',
    break: ofResult((result) => (result.status === 'throttled' ? throttled(0) : result)),
    fails: [CASES.throttled],
  },
  {
    name: 'fails jobs for wrong credentials',
    break: ofResult((result) => (result.status === 'blocked' ? failed(result.code) : result)),
    fails: [CASES.blocked],
  },
  {
    name: 'believes any answer',
    break: ofError((error) => {
      if (error.message.includes('none of its answers')) return succeeded();
      throw error;
    }),
    fails: [CASES.garbage],
  },
  {
    name: 'lets a parse error out',
    break: ofError((error) => {
      throw error.message.includes('none of its answers') ? new SyntaxError('Unexpected token <') : error;
    }),
    fails: [CASES.garbage],
  },
  {
    name: 'does not say that nothing was sent',
    break: ofError((error) => {
      throw error.notSent === true
        ? Object.assign(new Error('no connection'), { code: 'no_connection' })
        : error;
    }),
    fails: [CASES.notSent],
  },
  {
    name: 'has codes with an id',
    break: ofResult((result) => ('code' in result ? { ...result, code: `e_${count++}` } : result)),
    fails: [CASES.codes],
  },
  {
    name: 'has codes in capitals',
    break: ofResult((result) => ('code' in result ? { ...result, code: 'BadThing' } : result)),
    fails: [CASES.refused, CASES.throttled, CASES.blocked, CASES.codes],
  },
  {
    name: 'answers no JobResult',
    break: ofResult(({ status }) => ({ status: status === 'succeeded' ? 'sent' : status })),
    fails: [...ANSWERS, CASES.others],
  },
]);
