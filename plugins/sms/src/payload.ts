import { type Static, Type, variables } from '@batchsender/core/plugin';

/** Most characters of a text: what Twilio takes (https://www.twilio.com/docs/api/errors/21617). */
export const MAX_BODY = 1_600;

/** Schema of an SMS job's payload. */
export const SmsPayload = Type.Object(
  {
    to: Type.String({
      minLength: 1,
      maxLength: 50,
      description: 'Number of the recipient: +4915123456789, or national together with country.',
    }),
    from: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 50,
        description:
          "Sender: a number such as +12025550123, a short code, a name of 1 to 11 letters and digits, or the SID of a Twilio messaging service. Default: the connection's.",
      }),
    ),
    body: Type.String({ minLength: 1, maxLength: MAX_BODY, description: 'The text.' }),
    country: Type.Optional(
      Type.String({
        pattern: '^[A-Z]{2}$',
        description: 'Country of a national number in to, such as DE (ISO 3166-1).',
      }),
    ),
    smartEncoding: Type.Optional(
      Type.Boolean({
        description:
          'Replaces typographic characters, such as curly quotes, if the text then fits the alphabet of SMS and needs fewer segments. Default false.',
      }),
    ),
    variables: variables(),
  },
  { additionalProperties: false },
);

/** An SMS job's payload. */
export type SmsPayload = Static<typeof SmsPayload>;
