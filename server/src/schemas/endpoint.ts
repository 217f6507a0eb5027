import type { FailingEndpoint } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { COMPONENT, oneOfStrings, strict, Time } from './common.ts';

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
