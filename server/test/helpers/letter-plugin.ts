import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type CallbackRequest,
  callbackRefused,
  defineModule,
  definePlugin,
  defineProvider,
  type Plugin,
  type Receipt,
  secret,
  succeeded,
  Type,
  unknown,
} from '@batchsender/core/plugin';

const Payload = Type.Object(
  { to: Type.String({ minLength: 1 }), isLost: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

const Credentials = Type.Object({ signingSecret: Type.Optional(secret()) });

/** The secret with which the test signs. */
export const SIGNING_SECRET = 'a secret of the test';

/** The signature of a callback: over its address and its body. */
export const signatureOf = (url: string, body: Uint8Array | string): string =>
  createHmac('sha256', SIGNING_SECRET).update(url).update(body).digest('hex');

/** What the callbacks of the letter plugin bring. */
export interface LetterCallback {
  readonly events?: readonly Receipt[];
  readonly suppress?: readonly { recipient: string; reason: 'bounced' | 'complained' | 'unsubscribed' }[];
  readonly fails?: boolean;
}

/** A plugin whose provider verifies its callbacks; `requests` takes those that were genuine. */
export function letterPlugin(requests: CallbackRequest[] = []): Plugin {
  const postman = defineProvider({
    title: 'Postman',
    payload: Payload,
    credentials: Credentials,
    guarantee: { kind: 'at-most-once' },
    open: () => ({ process: ({ payload }) => (payload.isLost === true ? unknown('lost') : succeeded()) }),
    callbacks: {
      handle(request, { credentials }) {
        verify(request, credentials.signingSecret);
        requests.push(request);
        if (request.method === 'GET') return { events: [], response: { status: 200, body: 'hello' } };
        const {
          events = [],
          suppress = [],
          fails,
        } = JSON.parse(Buffer.from(request.body).toString()) as LetterCallback;
        if (fails === true) throw new Error('the text of the body: ann@example.com');
        return { events, suppress };
      },
    },
  });
  const recipients = ({ to }: { to: string }): string[] => [to];
  const providers = { postman };
  return definePlugin({
    name: 'plugin-letter',
    version: '1.0.0',
    contract: 1,
    modules: [
      defineModule({ type: 'letter', title: 'Letter', version: 1, payload: Payload, recipients, providers }),
    ],
  });
}

function verify({ url, headers, body }: CallbackRequest, signingSecret: string | undefined): void {
  const given = headers['x-signature'];
  if (given === undefined)
    throw callbackRefused(401, 'missing_signature', 'The header x-signature is missing');
  const wanted = createHmac('sha256', signingSecret ?? '')
    .update(url.href)
    .update(body)
    .digest('hex');
  const isGenuine =
    given.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
  if (!isGenuine) throw callbackRefused(401, 'invalid_signature', 'The signature is wrong');
}
