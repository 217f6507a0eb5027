import { type JsonValue, type Static, Type, variables } from '@batchsender/core/plugin';

const closed = { additionalProperties: false };

/** A record's fields by name. A value that is an object refers to another record, or is a compound field. */
export type CrmRecord = Readonly<Record<string, JsonValue>>;

/** Schema of a CRM job's payload. */
export const CrmPayload = Type.Object(
  {
    operation: Type.Union(
      [Type.Literal('create'), Type.Literal('update'), Type.Literal('upsert'), Type.Literal('delete')],
      { description: 'What happens to the record. Prefer upsert to create: it can be repeated.' },
    ),
    object: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$',
      description: "Kind of record, by the provider's own name, such as Contact, contacts or persons.",
    }),
    externalIdField: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9_]{0,99}$',
        description: 'Field whose value is unique, and tells which record is meant. upsert needs it.',
      }),
    ),
    id: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,100}$',
        description: "The provider's id of the record, for update and delete.",
      }),
    ),
    record: Type.Optional(
      // Not a Record: that would become `patternProperties`, which OpenAPI tools dislike.
      Type.Unsafe<CrmRecord>({
        type: 'object',
        additionalProperties: true,
        maxProperties: 5_000,
        description: 'The fields to write, by name. null empties a field.',
      }),
    ),
    variables: variables(),
  },
  closed,
);

/** A CRM job's payload. */
export type CrmPayload = Static<typeof CrmPayload>;

/** The fields of a job's record; a delete may have none. */
export const recordOf = ({ record }: CrmPayload): CrmRecord => record ?? {};

/** The value of a job's external id; undefined if it has none. */
export function externalIdOf(payload: CrmPayload): string | undefined {
  const { externalIdField } = payload;
  const record = recordOf(payload);
  if (externalIdField === undefined || !Object.hasOwn(record, externalIdField)) return undefined;
  const value = record[externalIdField];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
