import type { Connection, FailingEndpoint } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { COMPONENT, nullable, oneOfStrings, strict, Time } from './common.ts';

/** A connection as the API shows it: no credentials. */
export const ConnectionSchema = strict(
  {
    id: Type.String(),
    type: Type.String(),
    provider: Type.String(),
    state: oneOfStrings(['ok', 'blocked']),
    code: Type.Union([Type.String(), Type.Null()], { description: 'Why it is blocked.' }),
    message: nullable(Type.String()),
    since: nullable(Time),
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

export const EndpointSchema = strict(
  {
    connectionId: Type.String(),
    endpoint: Type.String({
      description: "What the provider's circuit breakers go by, such as a receiver's origin.",
    }),
    state: oneOfStrings(['failing', 'disabled'], {
      description: '`disabled`: it has failed for five days, and gets one call an hour.',
    }),
    since: Time,
    checkedAt: Time,
  },
  { [COMPONENT]: 'Endpoint' },
);

export const EndpointList = strict(
  { items: Type.Array(EndpointSchema), nextCursor: Type.Null() },
  { [COMPONENT]: 'EndpointList' },
);

/** Turns the engine's endpoint into the API's. */
export function endpointView(endpoint: FailingEndpoint): Static<typeof EndpointSchema> {
  const { since, checkedAt, ...rest } = endpoint;
  return { ...rest, since: since.toISOString(), checkedAt: checkedAt.toISOString() };
}

/** Turns the engine's connection into the API's. */
export function connectionView(connection: Connection): Static<typeof ConnectionSchema> {
  return {
    id: connection.id,
    type: connection.type,
    provider: connection.provider,
    state: connection.state,
    code: connection.code,
    message: connection.message,
    since: connection.since?.toISOString() ?? null,
  };
}
