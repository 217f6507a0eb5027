import { type Static, secret, Type, url, variables } from '@batchsender/core/plugin';

/** Time allowed for a call if the payload names none, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Most redirects that a call may follow. */
export const MAX_REDIRECTS = 5;

const closed = { additionalProperties: false };

const Auth = Type.Union(
  [
    Type.Object({ type: Type.Literal('bearer'), token: secret() }, { ...closed, title: 'Bearer token' }),
    Type.Object(
      { type: Type.Literal('basic'), username: Type.String(), password: secret() },
      { ...closed, title: 'User name and password' },
    ),
    Type.Object(
      {
        type: Type.Literal('apiKey'),
        name: Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'Name of the header or query parameter.',
        }),
        value: secret(),
        in: Type.Optional(
          Type.Union([Type.Literal('header'), Type.Literal('query')], { description: 'Default header.' }),
        ),
      },
      { ...closed, title: 'API key' },
    ),
  ],
  { description: 'How the call proves who sends it.' },
);

const SuccessBody = Type.Object(
  {
    contains: Type.Optional(Type.String({ minLength: 1, description: 'A text that the body must contain.' })),
    jsonPointer: Type.Optional(
      Type.String({
        description:
          'A place in the JSON body (RFC 6901), such as /status. Without `equals` it must be there and be neither null nor false.',
      }),
    ),
    equals: Type.Optional(
      Type.Unknown({
        description: 'What must stand there; without `jsonPointer`, what the whole body must be.',
      }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'A check of the first 64 kB of the response body. The job succeeds only if all of it holds.',
  },
);

/** Schema of a webhook job's payload. */
export const WebhookPayload = Type.Object(
  {
    url: url({ maxLength: 8_192, description: 'Absolute http or https URL.' }),
    method: Type.Optional(
      Type.String({ minLength: 1, maxLength: 32, description: 'HTTP method, upper-cased. Default POST.' }),
    ),
    headers: Type.Optional(
      // Not a Record: that would become `patternProperties`, which OpenAPI tools dislike.
      Type.Unsafe<Readonly<Record<string, string>>>({
        type: 'object',
        additionalProperties: { type: 'string', maxLength: 8_192 },
        maxProperties: 100,
        description: 'Request headers.',
      }),
    ),
    body: Type.Optional(
      Type.Unknown({
        description: 'A string is sent as it is, anything else as JSON. GET and HEAD take none.',
      }),
    ),
    auth: Type.Optional(Auth),
    timeoutMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 120_000,
        description:
          'Time allowed for the whole call, in milliseconds. Default 10,000; with the provider bulk 30,000.',
      }),
    ),
    successStatuses: Type.Optional(
      Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), {
        minItems: 1,
        maxItems: 100,
        description: 'Statuses that mean success. Default 200 to 299.',
      }),
    ),
    successBody: Type.Optional(SuccessBody),
    followRedirects: Type.Optional(
      Type.Union([Type.Boolean(), Type.Integer({ minimum: 0, maximum: MAX_REDIRECTS })], {
        description: 'How many redirects may be followed. Default false (none); true means 5.',
      }),
    ),
    deduplicates: Type.Optional(
      Type.Boolean({
        description:
          'True if this receiver does a call only once however often its `webhook-id` comes. Default: what the connection says. For the provider http.',
      }),
    ),
    variables: variables(),
  },
  closed,
);

/** A webhook job's payload. */
export type WebhookPayload = Static<typeof WebhookPayload>;

/** The method of the call, upper-case. */
export function methodOf(payload: WebhookPayload): string {
  return payload.method?.toUpperCase() ?? 'POST';
}
