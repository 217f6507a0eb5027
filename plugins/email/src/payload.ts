import { html, type Static, Type, url, variables } from '@batchsender/core/plugin';

/** Most recipients of one message, all kinds together: what every server must take (RFC 5321, section 4.5.3.1.8). */
export const MAX_RECIPIENTS = 100;

/** Most bytes of all attachments of a message together, before encoding. */
export const MAX_ATTACHMENT_BYTES = 15_000_000;

const closed = { additionalProperties: false };

const Address = Type.Union(
  [
    Type.String({
      minLength: 1,
      maxLength: 1_000,
      title: 'Address',
      description: 'Such as ada@example.com.',
    }),
    Type.Object(
      {
        address: Type.String({ minLength: 1, maxLength: 1_000, description: 'Such as ada@example.com.' }),
        name: Type.Optional(Type.String({ maxLength: 200, description: 'Name to show, in any script.' })),
      },
      { ...closed, title: 'Address with a name' },
    ),
  ],
  { description: 'An address, alone or with a name.' },
);

const addresses = (description: string) =>
  Type.Union(
    [...Address.anyOf, Type.Array(Address, { minItems: 1, maxItems: MAX_RECIPIENTS, title: 'List' })],
    { description },
  );

const Attachment = Type.Object(
  {
    filename: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Name of the file, without a folder.',
    }),
    content: Type.String({
      maxLength: Math.ceil(MAX_ATTACHMENT_BYTES / 3) * 4,
      description: 'The file itself, in base64.',
    }),
    contentType: Type.Optional(
      Type.String({
        minLength: 3,
        maxLength: 200,
        description: 'Media type, such as application/pdf. Default: by the name of the file.',
      }),
    ),
    cid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Shows the file inside of the HTML, where it says <img src="cid:…">.',
      }),
    ),
  },
  closed,
);

const ListUnsubscribe = Type.Object(
  {
    url: url({
      maxLength: 900,
      description: 'https URL that a POST unsubscribes at, without more questions.',
    }),
    mailto: Type.Optional(
      Type.String({ maxLength: 1_000, description: 'Address that a message unsubscribes at.' }),
    ),
  },
  { ...closed, description: 'The button "unsubscribe" of mail programs: one click, by RFC 8058.' },
);

/** Schema of an email job's payload. */
export const EmailPayload = Type.Object(
  {
    to: addresses('Recipients.'),
    from: Address,
    subject: Type.String({ maxLength: 1_000, description: 'One line.' }),
    text: Type.Optional(
      Type.String({ maxLength: 5_000_000, description: 'The plain text. Default: made from html.' }),
    ),
    html: Type.Optional(html({ maxLength: 5_000_000, description: 'The HTML.' })),
    cc: Type.Optional(addresses('Recipients of a copy.')),
    bcc: Type.Optional(addresses('Recipients of a copy that the others do not see.')),
    replyTo: Type.Optional(addresses('Where answers go. Default: from.')),
    headers: Type.Optional(
      // Not a Record: that would become `patternProperties`, which OpenAPI tools dislike.
      Type.Unsafe<Readonly<Record<string, string>>>({
        type: 'object',
        additionalProperties: { type: 'string', maxLength: 8_192 },
        maxProperties: 50,
        description: 'More header fields, such as X-Campaign.',
      }),
    ),
    listUnsubscribe: Type.Optional(ListUnsubscribe),
    attachments: Type.Optional(Type.Array(Attachment, { maxItems: 50 })),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_-]+$' }), {
        maxItems: 10,
        description: "Labels for the provider's statistics.",
      }),
    ),
    variables: variables(),
  },
  closed,
);

/** An email job's payload. */
export type EmailPayload = Static<typeof EmailPayload>;

/** An address as a payload gives it. */
export type AddressInput = Static<typeof Address>;
