import {
  defineModule,
  definePlugin,
  defineProvider,
  type Plugin,
  succeeded,
  Type,
} from '@batchsender/core/plugin';

const Payload = Type.Object({ n: Type.Integer() });

/** A plugin `ledger` whose provider writes each call down and takes `ms` for it. */
export function ledgerPlugin(calls: number[], { version = 1, ms = 0, concurrency = 20 } = {}): Plugin {
  const book = defineProvider({
    title: 'Book',
    payload: Payload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-most-once' },
    concurrency,
    open: () => ({
      process: async ({ payload }) => {
        calls.push(payload.n);
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        return succeeded();
      },
    }),
  });
  const module = defineModule({
    type: 'ledger',
    title: 'Ledger',
    version,
    ...(version === 1 ? {} : { migrate: (payload) => payload as { n: number } }),
    payload: Payload,
    providers: { book },
  });
  return definePlugin({ name: 'plugin-ledger', version: `${version}.0.0`, contract: 1, modules: [module] });
}

export const numbered = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));
