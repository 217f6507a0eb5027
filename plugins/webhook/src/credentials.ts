import { type Guarantee, type Static, secret, Type } from '@batchsender/core/plugin';
import { GUARANTEE } from './judge.ts';
import type { WebhookPayload } from './payload.ts';

/** How long a receiver that knows repeats remembers them, unless it is said, in milliseconds: a day. */
export const REMEMBERS_MS = 86_400_000;

/** What signs calls, for the credentials of both providers. */
export const signing = {
  signingSecret: Type.Optional(
    secret({
      description:
        'Signs every call by Standard Webhooks: `whsec_` and base64 (HMAC), `whsk_` and an Ed25519 key in base64, or any other text, whose bytes are the key of the HMAC.',
    }),
  ),
  previousSigningSecret: Type.Optional(
    secret({
      description:
        'The secret before. While it is given, each call carries a second signature by it, so that receivers can change over one by one.',
    }),
  ),
};

/** How long receivers remember what they got, for the credentials of both providers. */
export const remembersMs = Type.Optional(
  Type.Integer({
    minimum: 1_000,
    description:
      'For how long it remembers them, in milliseconds. Default 86,400,000 (24 h). Later repeats are not made.',
  }),
);

/** Schema of the credentials of the provider `http`. It works without any. */
export const HttpCredentials = Type.Object(
  {
    ...signing,
    deduplicates: Type.Optional(
      Type.Boolean({
        description:
          'True if the receivers do a call only once however often its `webhook-id` comes. Default false. A payload may say otherwise.',
      }),
    ),
    remembersMs,
  },
  { additionalProperties: false },
);

/** The credentials of the provider `http`. */
export type HttpCredentials = Static<typeof HttpCredentials>;

/** What may be repeated depends on what the receiver remembers. */
export function guaranteeOf(credentials: HttpCredentials, payload: WebhookPayload): Guarantee {
  const { deduplicates = false, remembersMs: ttlMs = REMEMBERS_MS } = credentials;
  return (payload.deduplicates ?? deduplicates) ? { kind: 'keyed', scope: 'job', ttlMs } : GUARANTEE;
}
