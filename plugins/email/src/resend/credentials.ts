import { type Static, secret, Type } from '@batchsender/core/plugin';

/** Schema of the credentials of the provider `resend`. */
export const ResendCredentials = Type.Object(
  {
    apiKey: secret({ minLength: 1, description: 'A key with the permission to send, such as re_….' }),
    webhookSecret: Type.Optional(
      secret({
        minLength: 1,
        description: 'The signing secret of the webhook, whsec_…. Without it no receipts are taken.',
      }),
    ),
    requestsPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description: 'What Resend allows your team, over all its keys. Default 5.',
      }),
    ),
    baseUrl: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: 'Default https://api.resend.com.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `resend`. */
export type ResendCredentials = Static<typeof ResendCredentials>;
