import type { Connection, ConnectionTest } from '@batchsender/core';
import type { JsonObject as JsonFields } from '@batchsender/core/plugin';
import { type Static, Type } from 'typebox';
import { COMPONENT, nullable, oneOfStrings, openObject, strict, Time } from './common.ts';

/** A connection as the API shows it: without secrets. */
export const ConnectionSchema = strict(
  {
    id: Type.String(),
    type: Type.String(),
    provider: Type.String(),
    name: Type.Union([Type.String(), Type.Null()], {
      description: 'What batches call it; null for a default connection.',
    }),
    state: oneOfStrings(['ok', 'blocked']),
    code: Type.Union([Type.String(), Type.Null()], { description: 'Why it is blocked.' }),
    message: nullable(Type.String()),
    since: nullable(Time),
    credentials: nullable(
      openObject({
        description:
          'Without the secrets; null for a default connection, whose credentials come from the settings.',
      }),
    ),
    secrets: Type.Array(Type.String(), {
      description: 'JSON pointers into the credentials: secrets that are set. They are never shown.',
      examples: [['/password']],
    }),
    createdAt: Time,
    updatedAt: Time,
  },
  { [COMPONENT]: 'Connection' },
);

export const ConnectionList = strict(
  { items: Type.Array(ConnectionSchema), nextCursor: Type.Null() },
  { [COMPONENT]: 'ConnectionList' },
);

export const ConnectionParams = Type.Object({
  connectionId: Type.String({ description: 'Id of the connection.' }),
});

const Name = (description: string) => Type.String({ description, examples: ['marketing'] });

export const ConnectionBody = strict(
  {
    type: Type.String({ minLength: 1 }),
    provider: Type.String({ minLength: 1 }),
    name: Name('Unique for the type: 1 to 63 of a-z, 0-9 and "-".'),
    credentials: openObject({
      description: "By the schema of the provider's credentials, which GET /v1/modules shows.",
    }),
  },
  { [COMPONENT]: 'ConnectionInput' },
);

export const ConnectionPatchBody = strict(
  {
    name: Type.Optional(Name('The new name.')),
    credentials: Type.Optional(
      openObject({
        description: 'JSON merge patch (RFC 7396): what is left out stays, null takes a field away.',
      }),
    ),
  },
  { [COMPONENT]: 'ConnectionPatch' },
);

export const ConnectionTestSchema = strict(
  {
    ok: Type.Boolean(),
    code: Type.Union([Type.String(), Type.Null()], { description: 'Why it does not work.' }),
    message: nullable(Type.String()),
    latencyMs: Type.Integer({ minimum: 0 }),
  },
  { [COMPONENT]: 'ConnectionTest' },
);

export const AuthorizeBody = strict({
  returnUrl: Type.Optional(
    Type.String({
      description:
        'Where the person is sent in the end, with `connection` and, if it failed, `error` in the query.',
    }),
  ),
});

export const AuthorizeAnswer = strict(
  { url: Type.String({ description: 'A person opens it within 10 minutes.' }) },
  { [COMPONENT]: 'AuthorizeAnswer' },
);

/** The query by which a provider sends the person back (RFC 6749, section 4.1.2). Providers add fields of their own. */
export const OAuthCallbackQuery = Type.Object({
  state: Type.String({ minLength: 1, maxLength: 200 }),
  code: Type.Optional(Type.String({ maxLength: 4_000 })),
  error: Type.Optional(Type.String({ maxLength: 200 })),
});

/** Turns the engine's connection into the API's. */
export function connectionView(connection: Connection): Static<typeof ConnectionSchema> {
  const { id, type, provider, name, state, code, message } = connection;
  return {
    ...{ id, type, provider, name, state, code, message },
    since: connection.since?.toISOString() ?? null,
    credentials: connection.credentials,
    secrets: [...connection.secrets],
    createdAt: connection.createdAt.toISOString(),
    updatedAt: connection.updatedAt.toISOString(),
  };
}

/** Turns the engine's verdict into the API's. */
export const connectionTestView = (test: ConnectionTest): Static<typeof ConnectionTestSchema> => ({
  ok: test.ok,
  code: test.code,
  message: test.message,
  latencyMs: test.latencyMs,
});

/** A body's open object as JSON, which it came as. */
export const jsonFields = (fields: Record<string, unknown>): JsonFields => fields as JsonFields;
