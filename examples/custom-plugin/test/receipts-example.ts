import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type CallbackRequest,
  callbackRefused,
  defineProvider,
  secret,
  succeeded,
  Type,
} from '@batchsender/core/plugin';

interface CardEvent {
  readonly id: string;
  readonly reference: string;
  readonly kind: 'arrived' | 'returned' | 'stop';
  readonly address: string;
}

/** The press signs the bytes of the body. */
function verify({ headers, body }: CallbackRequest, signingSecret: string): void {
  const given = Buffer.from(headers['x-press-signature'] ?? '', 'hex');
  const wanted = createHmac('sha256', signingSecret).update(body).digest();
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw callbackRefused(401, 'invalid_signature', 'The signature of the press is missing or wrong');
}

function read(body: Uint8Array): CardEvent {
  let event: CardEvent | undefined;
  try {
    event = JSON.parse(Buffer.from(body).toString()) as CardEvent;
  } catch {
    // What is no JSON is no event either.
  }
  if (typeof event?.id === 'string' && typeof event.reference === 'string') return event;
  throw callbackRefused(400, 'invalid_body', 'The body is no event of the press');
}

/** The vendor's client, whatever it is. It answers the id of the card. */
declare function sendCard(
  reference: string,
  address: string,
  callbackUrl: string | undefined,
): Promise<string>;

export const press = defineProvider({
  title: 'Postcard Press, with receipts',
  payload: Type.Object({ address: Type.String() }, { additionalProperties: false }),
  credentials: Type.Object({ apiKey: secret(), signingSecret: secret() }, { additionalProperties: false }),
  guarantee: { kind: 'at-most-once' },
  open: (_credentials, { callbackUrl }) => ({
    // The press carries our job's id back as its reference.
    process: async ({ id, payload }) => succeeded(await sendCard(id, payload.address, callbackUrl(id))),
  }),
  callbacks: {
    handle(request, { credentials }) {
      verify(request, credentials.signingSecret);
      const { id, reference, kind, address } = read(request.body);
      if (kind === 'stop') return { events: [], suppress: [{ recipient: address, reason: 'unsubscribed' }] };
      const bounced = kind === 'returned';
      return {
        events: [{ jobId: reference, kind: bounced ? 'bounced' : 'delivered', eventId: id }],
        suppress: bounced ? [{ recipient: address, reason: 'bounced' }] : [],
      };
    },
  },
});
