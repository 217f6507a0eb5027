import { type Static, secret, Type } from '@batchsender/core/plugin';

/** Most connections to a server at once, unless the settings say otherwise. */
export const DEFAULT_CONNECTIONS = 10;

const closed = { additionalProperties: false };

const choice = <T extends string>(values: readonly T[], description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: values, description });

/** Schema of the credentials of the provider `smtp`. */
export const SmtpCredentials = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253, description: 'Name or address of the server.' }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'Default 587, or 465 with tls `implicit`.' }),
    ),
    tls: Type.Optional(
      choice(
        ['implicit', 'starttls', 'opportunistic', 'none'],
        'implicit: TLS from the first byte. starttls: required. opportunistic: if the server offers it. none: never. Default: implicit on port 465, none on this machine, starttls elsewhere.',
      ),
    ),
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 320, description: 'Name to log in with.' })),
    password: Type.Optional(secret({ minLength: 1, description: 'Password, or the key of a mail service.' })),
    authMethod: Type.Optional(
      choice(
        ['PLAIN', 'LOGIN', 'CRAM-MD5'],
        'How to log in. Default: the first of these that the server offers.',
      ),
    ),
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'Most connections at once, over all processes. Default 10.',
      }),
    ),
    maxMessagesPerConnection: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Then a new connection is made. Default 100.',
      }),
    ),
    maxPerSecond: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 10_000,
        description: 'Messages a second of one process. Default: no limit.',
      }),
    ),
    tlsCa: Type.Optional(
      Type.String({ minLength: 1, description: 'Certificates (PEM) to trust in place of the public ones.' }),
    ),
    tlsServername: Type.Optional(
      Type.String({ minLength: 1, maxLength: 253, description: 'Name in the certificate. Default: host.' }),
    ),
    tlsRejectUnauthorized: Type.Optional(
      Type.Boolean({
        description:
          'false takes any certificate, so that anybody on the way can read the mail and the password. Default true.',
      }),
    ),
    clientName: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9.:\\[\\]-]{1,253}$',
        description: 'Name of this machine in EHLO. Default: its host name.',
      }),
    ),
    envelopeFrom: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 300,
        description:
          'Where bounces go. {job} stands for the id of the job: bounces+{job}@example.com. Default: from.',
      }),
    ),
    bounceSecret: Type.Optional(
      secret({
        minLength: 16,
        description:
          'What a forwarded bounce carries as the password of HTTP basic authentication, or in the header X-BatchSender-Secret. Without it no bounces are taken.',
      }),
    ),
    tagHeader: Type.Optional(
      Type.String({
        pattern: '^[Xx]-[A-Za-z0-9-]{1,70}$',
        description: 'Header that carries the tags, such as X-Mailgun-Tag. Default: tags are not sent.',
      }),
    ),
    connectTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 120_000,
        description: 'Time until the server is ready for a message, login included. Default 15,000.',
      }),
    ),
    replyTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 600_000,
        description: 'How long the server may be silent. Default 100,000.',
      }),
    ),
  },
  closed,
);

/** The credentials of the provider `smtp`. */
export type SmtpCredentials = Static<typeof SmtpCredentials>;
