import { retry } from '../../../src/plugin/index.ts';
import { inProvider, inSession } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects } from '../../helpers/defects.ts';

const shared = { closed: false, credentials: undefined as unknown };

describeDefects([
  {
    name: 'takes one job a call, but says many',
    break: inProvider(() => ({ batchSize: 5 })),
    fails: [CASES.session, CASES.oneEach, CASES.others],
  },
  {
    name: 'is reconcilable, but cannot be asked',
    guarantee: { kind: 'reconcilable', settleMs: 10 },
    break: inSession(() => ({ resolve: undefined })),
    fails: [CASES.session, CASES.found],
  },
  {
    name: 'never ends close()',
    break: inSession(() => ({ close: () => new Promise(() => undefined) })),
    fails: [CASES.close],
  },
  {
    name: 'closes the client of all sessions',
    break: inSession((session) => {
      shared.closed = false;
      return {
        close: () => {
          shared.closed = true;
        },
        process: (...args: Parameters<NonNullable<typeof session.process>>) =>
          shared.closed ? retry('client_closed') : session.process?.(...args),
      };
    }),
    fails: [CASES.shared],
  },
  {
    name: 'keeps the credentials in a variable of the file',
    break: inProvider((provider) => ({
      open: (credentials, context) => {
        shared.credentials = credentials;
        const process = async (job: never, call: never) =>
          (await provider.open(shared.credentials as typeof credentials, context)).process?.(job, call);
        return { process } as never;
      },
    })),
    fails: [CASES.shared],
  },
  {
    name: 'is always healthy',
    break: inSession(() => ({ health: async () => undefined })),
    fails: [CASES.health],
  },
  {
    name: 'is never healthy',
    break: inSession(() => ({ health: async () => ({ code: 'bad', message: 'bad' }) })),
    fails: [CASES.health],
  },
]);
