import {
  defineModule,
  definePlugin,
  defineProvider,
  type Plugin,
  secret,
  succeeded,
  Type,
} from '@batchsender/core/plugin';

const Payload = Type.Object({ to: Type.String({ minLength: 1 }) }, { additionalProperties: false });

const Credentials = Type.Object(
  {
    accountSid: Type.String({ minLength: 1 }),
    authToken: secret({ minLength: 4 }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    useTls: Type.Optional(Type.Boolean()),
    pools: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);

const real = (title: string) =>
  defineProvider({
    title,
    payload: Payload,
    credentials: Credentials,
    guarantee: { kind: 'at-most-once' },
    open: () => ({ process: () => succeeded() }),
  });

const free = (title: string) =>
  defineProvider({
    title,
    payload: Payload,
    credentials: Type.Object(
      { note: Type.Optional(Type.String()) },
      { additionalProperties: false, description: 'It keeps them in its drawer.' },
    ),
    guarantee: { kind: 'at-least-once' },
    open: () => ({ process: () => succeeded() }),
  });

/** A plugin with two providers that need credentials, and optionally a sandbox. */
export const pagerPlugin = (options: { hasSandbox: boolean }): Plugin =>
  definePlugin({
    name: 'plugin-pager',
    version: '1.2.3',
    contract: 1,
    modules: [
      defineModule({
        type: 'pager',
        title: 'Pager',
        version: 1,
        payload: Payload,
        providers: {
          acme: real('Acme'),
          globex: real('Globex'),
          ...(options.hasSandbox ? { sandbox: free('Sandbox') } : {}),
        },
      }),
    ],
  });

/** A plugin whose provider needs no credentials. */
export const bellPlugin = (): Plugin =>
  definePlugin({
    name: 'plugin-bell',
    version: '1.0.0',
    contract: 1,
    modules: [
      defineModule({
        type: 'bell',
        title: 'Bell',
        version: 1,
        payload: Payload,
        providers: { tower: free('Tower') },
      }),
    ],
  });
