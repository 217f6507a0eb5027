import { inProcess } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects } from '../../helpers/defects.ts';

describeDefects([
  {
    name: 'makes a new key for each attempt',
    break: inProcess((run, job, call) => run({ ...job, id: `${job.id}/${call.attempt}` }, call)),
    fails: [CASES.keys],
  },
  {
    name: 'has one key for all jobs',
    break: inProcess((run, job, call) => run({ ...job, id: 'message' }, call)),
    fails: [CASES.keys],
  },
]);
