import { pending } from '../../../src/plugin/index.ts';
import { inSession } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects } from '../../helpers/defects.ts';

describeDefects([
  {
    name: 'does not find what was taken',
    guarantee: { kind: 'reconcilable', settleMs: 10 },
    break: inSession(() => ({ resolve: async (jobs: unknown[]) => jobs.map(() => ({ status: 'absent' })) })),
    fails: [CASES.found],
  },
  {
    name: 'answers rubbish when asked',
    guarantee: { kind: 'reconcilable', settleMs: 10 },
    break: inSession(() => ({ resolve: async () => [] })),
    fails: [CASES.found],
  },
  {
    name: 'is pending for ever',
    break: inSession((session) => ({
      process: async (...args: Parameters<NonNullable<typeof session.process>>) => {
        const result = await session.process?.(...args);
        return result?.status === 'succeeded' ? pending('bulk_1', 1) : result;
      },
      resolve: async (jobs: unknown[]) => jobs.map(() => pending('bulk_1', 1)),
    })),
    fails: [CASES.settled],
  },
  {
    name: 'is pending, and cannot be asked',
    break: inSession((session) => ({
      process: async (...args: Parameters<NonNullable<typeof session.process>>) => {
        const result = await session.process?.(...args);
        return result?.status === 'succeeded' ? pending('bulk_1', 1) : result;
      },
      resolve: undefined,
    })),
    fails: [CASES.settled],
  },
]);
