import { type Static, secret, Type } from '@batchsender/core/plugin';

/** Calls at once, unless the settings say otherwise. Twilio's own limit is not published; it answers 429. */
export const DEFAULT_CONCURRENCY = 20;

/** Schema of the credentials of the provider `twilio`. */
export const TwilioCredentials = Type.Object(
  {
    accountSid: Type.String({ pattern: '^AC[0-9a-f]{32}$', description: 'SID of the account (AC…).' }),
    authToken: Type.Optional(
      secret({
        minLength: 1,
        description: "The account's auth token. Receipts and replies are signed with it, whatever sends.",
      }),
    ),
    apiKey: Type.Optional(
      secret({ minLength: 1, description: 'SID of an API key (SK…), to send without the auth token.' }),
    ),
    apiKeySecret: Type.Optional(secret({ minLength: 1, description: 'Secret of the API key.' })),
    messagingServiceSid: Type.Optional(
      Type.String({
        pattern: '^MG[0-9a-f]{32}$',
        description: 'Messaging service (MG…) that sends what names no sender.',
      }),
    ),
    from: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 50,
        description: 'Number or name that sends what names no sender, instead of a messaging service.',
      }),
    ),
    messagesPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Most messages a second, over all processes. Default: no limit; Twilio queues.',
      }),
    ),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 500,
        description: 'Most calls at once, over all processes. Default 20.',
      }),
    ),
    edge: Type.Optional(
      Type.String({ pattern: '^[a-z0-9-]+$', description: 'Edge location, such as dublin.' }),
    ),
    region: Type.Optional(Type.String({ pattern: '^[a-z0-9-]+$', description: 'Region, such as ie1.' })),
    baseUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^?#]+$',
        description: 'Another address of the API, such as that of a test server.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `twilio`. */
export type TwilioCredentials = Static<typeof TwilioCredentials>;

/** Who logs in: the API key if there is one, else the account itself. A text says what is missing. */
export function loginOf({
  accountSid,
  authToken,
  apiKey,
  apiKeySecret,
}: TwilioCredentials): { readonly username: string; readonly password: string } | string {
  if (apiKey !== undefined && apiKeySecret !== undefined) return { username: apiKey, password: apiKeySecret };
  if (apiKey !== undefined || apiKeySecret !== undefined) {
    return 'The connection has half of an API key: set apiKey and apiKeySecret, or neither';
  }
  if (authToken !== undefined) return { username: accountSid, password: authToken };
  return 'The connection has no way to log in: set authToken, or apiKey and apiKeySecret';
}
