import { type Static, secret, Type } from '@batchsender/core/plugin';

/**
 * Requests a second that an API key may make, unless Vonage has raised it:
 * https://api.support.vonage.com/hc/en-us/articles/203993598-What-is-the-Throughput-Limit-for-Outbound-SMS
 */
export const DEFAULT_PER_SECOND = 30;

/** Calls at once, unless the settings say otherwise: enough for the default rate. */
export const DEFAULT_CONCURRENCY = 10;

/** Schema of the credentials of the provider `vonage`. */
export const VonageCredentials = Type.Object(
  {
    apiKey: secret({ minLength: 1, description: 'API key of the account.' }),
    apiSecret: Type.Optional(
      secret({ minLength: 1, description: 'API secret, if there is no application. Brings no receipts.' }),
    ),
    applicationId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'Id of the application that sends.' }),
    ),
    privateKey: Type.Optional(
      secret({ minLength: 1, description: "The application's private key, in PEM." }),
    ),
    signatureSecret: Type.Optional(
      secret({
        minLength: 1,
        description: 'Signature secret of the account: receipts and replies carry it.',
      }),
    ),
    from: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 50,
        description: 'Number or name that sends what names no sender.',
      }),
    ),
    messagesPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Most messages a second, over all processes. Default 30, as Vonage allows.',
      }),
    ),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 500,
        description: 'Most calls at once, over all processes. Default 10.',
      }),
    ),
    baseUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^?#]+$',
        description: 'Address of the API. Default https://api.nexmo.com.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `vonage`. */
export type VonageCredentials = Static<typeof VonageCredentials>;
