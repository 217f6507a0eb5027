import { type Static, secret, Type } from '@batchsender/core/plugin';

/** Schema of the credentials of the provider `ses`. */
export const SesCredentials = Type.Object(
  {
    region: Type.String({
      pattern: '^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$',
      maxLength: 40,
      description: 'Such as eu-west-1.',
    }),
    // Never the ones of this machine: whoever may make connections must not send in its name.
    accessKeyId: Type.String({ minLength: 1, maxLength: 200, description: 'Of a user with ses:SendEmail.' }),
    secretAccessKey: secret({ minLength: 1, description: 'The secret of the access key.' }),
    sessionToken: Type.Optional(secret({ minLength: 1, description: 'Of temporary credentials.' })),
    configurationSet: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        description: 'Its event destination sends the receipts. Without it there are none.',
      }),
    ),
    topicArn: Type.Optional(
      Type.String({
        pattern: '^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$',
        description: 'The SNS topic of the event destination. Receipts of any other are refused.',
      }),
    ),
    maxSendRate: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 100_000,
        description: 'Emails a second that the account may send, over all processes. Default: no limit.',
      }),
    ),
    baseUrl: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: 'Default: the API of the region.' }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `ses`. */
export type SesCredentials = Static<typeof SesCredentials>;
