import {
  blocked,
  CONTRACT,
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type Infer,
  type OAuth,
  type Plugin,
  secret,
  succeeded,
  Type,
} from '../../src/plugin/index.ts';
import { sleep } from './engine-world.ts';

const Payload = Type.Object({ n: Type.Integer(), say: Type.Optional(Type.String()) });

const Credentials = Type.Object(
  {
    host: Type.String({ minLength: 1 }),
    password: secret({ minLength: 4 }),
    atOnce: Type.Optional(Type.Integer({ minimum: 1, default: 3 })),
  },
  { additionalProperties: false },
);

const GrantCredentials = Type.Object(
  {
    clientId: Type.Optional(Type.String()),
    clientSecret: Type.Optional(secret()),
    accessToken: Type.Optional(secret()),
    refreshToken: Type.Optional(secret()),
    account: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

type VendorCredentials = Infer<typeof Credentials>;

/** A call that the vendor took. */
export interface VendorCall {
  readonly provider: 'vendor' | 'cloud' | 'sandbox';
  readonly n: number;
  /** The password or token that it came with. */
  readonly by: string;
  readonly result: 'succeeded' | 'refused' | 'failed';
}

/** A vendor that knows passwords and tokens, and its plugin `parcel` with the providers vendor, cloud and sandbox. */
export interface Vendor {
  readonly plugin: Plugin;
  readonly calls: VendorCall[];
  /** What it lets in. */
  readonly accepts: Set<string>;
  /** Sessions that are open, by their password or token. */
  readonly open: string[];
  readonly closed: string[];
  /** Most calls at once, by password. */
  readonly mostAtOnce: Map<string, number>;
  /** How long a call takes. Default 2 ms. */
  callMs: number;
  /** What `health` says, if anything. */
  health: (password: string) => Promise<undefined | { code: string; message: string }>;
}

export function vendor(options: { hasSandbox?: boolean; oauth?: OAuth; accepts?: Set<string> } = {}): Vendor {
  const calls: VendorCall[] = [];
  const state: Omit<Vendor, 'plugin'> = {
    calls,
    accepts: options.accepts ?? new Set(),
    open: [],
    closed: [],
    mostAtOnce: new Map(),
    callMs: 2,
    health: async () => undefined,
  };
  const session = (provider: VendorCall['provider'], by: string) => {
    state.open.push(by);
    let atOnce = 0;
    return {
      process: async ({ payload: { n, say } }: { payload: Infer<typeof Payload> }) => {
        atOnce += 1;
        state.mostAtOnce.set(by, Math.max(atOnce, state.mostAtOnce.get(by) ?? 0));
        await sleep(state.callMs);
        atOnce -= 1;
        const isIn = provider === 'sandbox' || state.accepts.has(by);
        const word = isIn ? say : 'refused';
        const result = word === 'refused' || word === 'failed' ? word : 'succeeded';
        calls.push({ provider, n, by, result });
        if (word === 'refused') return blocked('bad_password', { message: `The password ${by} is wrong` });
        if (word === 'failed')
          return failed('no_such_street', { message: `${by} knows no such street`, data: { by } });
        if (word === 'oops') throw new Error(`oops with ${by}`);
        if (word === 'throw') throw Object.assign(new Error(`boom with ${by}`), { notSent: true });
        return succeeded(`ref-${n}`);
      },
      health: () => state.health(by),
      close: () => {
        state.closed.push(by);
      },
    };
  };
  const plugin = definePlugin({
    name: 'plugin-parcel',
    version: '1.0.0',
    contract: CONTRACT,
    modules: [
      defineModule({
        type: 'parcel',
        title: 'Parcel',
        version: 1,
        payload: Payload,
        providers: {
          vendor: defineProvider({
            title: 'Vendor',
            payload: Payload,
            credentials: Credentials,
            guarantee: { kind: 'at-most-once' },
            concurrency: ({ atOnce }: VendorCredentials) => atOnce ?? 1,
            open: ({ password }) => session('vendor', password),
          }),
          cloud: defineProvider({
            title: 'Cloud',
            payload: Payload,
            credentials: GrantCredentials,
            guarantee: { kind: 'at-most-once' },
            concurrency: 6,
            ...(options.oauth === undefined ? {} : { oauth: options.oauth }),
            open: ({ accessToken = '' }) => session('cloud', accessToken),
          }),
          ...(options.hasSandbox === false
            ? {}
            : {
                sandbox: defineProvider({
                  title: 'Sandbox',
                  payload: Payload,
                  credentials: Type.Object({}),
                  guarantee: { kind: 'at-least-once' },
                  open: () => session('sandbox', ''),
                }),
              }),
        },
      }),
    ],
  });
  return Object.assign(state, { plugin });
}

/** Payloads numbered from 0. */
export const parcels = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));

/** Keys for tests, from a letter. */
export const testKey = (letter: string) => ({
  id: `key-${letter}`,
  key: Buffer.alloc(32, letter).toString('base64'),
});
