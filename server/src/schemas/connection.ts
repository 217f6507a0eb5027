import type { Connection } from '@batchsender/core';
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
