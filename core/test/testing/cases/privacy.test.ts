import { succeeded } from '../../../src/plugin/index.ts';
import { inProcess, ofResult } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects } from '../../helpers/defects.ts';
import { SECRET } from '../../helpers/sample-vendor.ts';

describeDefects([
  {
    name: "keeps the vendor's words with a secret in them",
    break: ofResult((result) =>
      result.status === 'blocked' ? { ...result, message: `The key Bearer ${SECRET} is unknown` } : result,
    ),
    fails: [CASES.secrets],
  },
  {
    name: 'logs its headers',
    break: inProcess((run, _job, _call, { logger }) => {
      logger.debug({ request: { headers: { authorization: `Bearer ${SECRET}` } } });
      return run();
    }),
    fails: [CASES.secrets],
  },
  {
    name: "keeps the vendor's words with an address in them",
    break: ofResult((result, { payload }) =>
      result.status === 'failed' ? { ...result, message: `${payload.to} is unknown` } : result,
    ),
    fails: [CASES.personal],
  },
  {
    name: 'takes the address for an id',
    break: ofResult((result, { payload }) =>
      result.status === 'succeeded' ? succeeded(payload.to) : result,
    ),
    fails: [CASES.personal],
  },
  {
    name: 'notes the text',
    break: inProcess(async (run, job, call) => {
      await call.note({ text: job.payload.text });
      return run();
    }),
    fails: [CASES.personal],
  },
]);
