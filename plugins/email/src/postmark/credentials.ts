import { type Static, secret, Type } from '@batchsender/core/plugin';

/** Schema of the credentials of the provider `postmark`. */
export const PostmarkCredentials = Type.Object(
  {
    serverToken: secret({ minLength: 1, description: 'The API token of the server in Postmark.' }),
    messageStream: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[A-Za-z0-9_-]+$',
        description: 'Id of the message stream, such as broadcast. Default outbound.',
      }),
    ),
    webhookSecret: Type.Optional(
      secret({
        minLength: 16,
        description:
          'What webhooks carry as the password of HTTP basic authentication, or in the header X-BatchSender-Secret. Without it no receipts are taken.',
      }),
    ),
    baseUrl: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: 'Default https://api.postmarkapp.com.' }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `postmark`. */
export type PostmarkCredentials = Static<typeof PostmarkCredentials>;
