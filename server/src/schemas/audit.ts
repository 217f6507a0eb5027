import type { AuditEntry } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { COMPONENT, JsonObject, nullable, pageOf, pageQuery, strict, Time } from './common.ts';

const Entry = strict(
  {
    id: Type.Integer(),
    at: Time,
    action: Type.String({ examples: ['batch.cancelled'] }),
    actor: Type.String({ description: '`api-key`, or `provider` for what came in by a callback.' }),
    target: Type.Union([Type.String(), Type.Null()], { description: 'Id of what it was done to.' }),
    count: Type.Integer({
      minimum: 1,
      description: 'How often. Above 1 only for refused callbacks, which share an entry a minute.',
    }),
    data: nullable(JsonObject),
  },
  { [COMPONENT]: 'AuditEntry' },
);

export const AuditPage = pageOf(Entry, 'AuditPage');

export const AuditQuery = strict({
  action: Type.Optional(Type.String({ maxLength: 100, description: 'Only entries of this action.' })),
  ...pageQuery,
});

/** Turns the engine's entry into the API's. */
export function auditView(entry: AuditEntry): Static<typeof Entry> {
  const { id, at, action, actor, target, count, data } = entry;
  return { id, at: at.toISOString(), action, actor, target, count, data };
}
