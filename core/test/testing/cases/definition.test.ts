import { Type } from '../../../src/plugin/index.ts';
import { inModule, inProvider } from '../../helpers/break-plugin.ts';
import { CASES, describeDefects } from '../../helpers/defects.ts';
import { MessagePayload } from '../../helpers/sample-plugin.ts';

let count = 0;

describeDefects([
  {
    name: 'was written for another contract',
    break: (plugin) => ({ ...plugin, contract: 2 }),
    fails: [CASES.register],
  },
  {
    name: 'has a function in its schema',
    break: inModule(() => ({
      payload: Type.Object(
        { ...MessagePayload.properties, to: Type.Refine(Type.String(), (to) => to !== '') },
        { additionalProperties: false },
      ),
    })),
    fails: [CASES.schemas],
  },
  {
    name: 'has a value in its schema that JSON changes',
    break: inModule(({ payload }) => ({ payload: { ...payload, examples: [new Date(0)] } })),
    fails: [CASES.schemas],
  },
  {
    name: 'does not mark its secret',
    break: inProvider(() => ({
      credentials: Type.Object({ apiKey: Type.String(), baseUrl: Type.String() }),
    })),
    fails: [CASES.marked],
  },
  {
    name: 'refuses a good payload',
    break: inModule(() => ({ validate: () => [{ path: '/to', code: 'bad', message: 'is not for us' }] })),
    fails: [CASES.samples],
  },
  {
    name: 'takes unknown fields',
    break: inModule(() => ({
      payload: Type.Object(MessagePayload.properties, { additionalProperties: true }),
    })),
    fails: [CASES.unknownField],
  },
  {
    name: 'changes its endpointKey',
    break: inProvider(() => ({ endpointKey: () => `${count++}` })),
    fails: [CASES.functions],
  },
  {
    name: 'throws in groupKey',
    break: inProvider(() => ({
      groupKey: ({ to }) => (to.startsWith('grace') ? (undefined as never as string).length.toString() : ''),
    })),
    fails: [CASES.functions],
  },
  {
    name: 'answers no time in timeoutMs',
    break: inProvider(() => ({ timeoutMs: () => Number.NaN })),
    fails: [CASES.functions],
  },
  {
    name: 'takes half of what the credentials say for its concurrency',
    break: inProvider(() => ({ concurrency: () => 2.5 })),
    fails: [CASES.concurrency],
  },
  {
    name: 'throws in concurrency',
    break: inProvider(() => ({
      concurrency: (credentials) => (credentials as never as { limits: { calls: number } }).limits.calls,
    })),
    fails: [CASES.concurrency],
  },
]);
