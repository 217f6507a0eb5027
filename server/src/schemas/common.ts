import { type TObject, type TProperties, type TSchema, type TUnsafe, Type } from 'typebox';

/** Keyword that gives a schema its name among the components of the OpenAPI document. */
export const COMPONENT = 'x-component';

/** An object with exactly these fields. */
export const strict = <P extends TProperties>(properties: P, options: object = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** The value or null. */
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** A string that is one of these. */
export const oneOfStrings = <const V extends readonly string[]>(values: V, options: object = {}) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...options });

/** A time as ISO 8601 with `Z`. */
export const Time = Type.String({ format: 'date-time', examples: ['2026-11-22T09:30:00.000Z'] });

/** A page of a list. */
export const pageOf = <S extends TSchema>(item: S, name: string) =>
  strict(
    {
      items: Type.Array(item),
      nextCursor: Type.Union([Type.String(), Type.Null()], {
        description: 'Pass it as `cursor` for the next page; null on the last one.',
      }),
    },
    { [COMPONENT]: name },
  );

/** Query parameters of every list. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000, description: 'Items of a page, 1 to 1,000. Default 100.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 1_000, description: '`nextCursor` of the page before.' })),
};

/** Query of calls that take none. */
export const NoQuery = strict({});

export const BatchParams = Type.Object({
  batchId: Type.String({
    description: 'Id of the batch.',
    examples: ['019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60'],
  }),
});

export const JobParams = Type.Object({
  jobId: Type.String({
    description: 'Id of the job: `<batchId>.<seq>`.',
    examples: ['019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60.0'],
  }),
});

/** An open object of JSON values. A record would have each key tested against a pattern. */
export const JsonObject: TUnsafe<Record<string, unknown>> = openObject();

/** {@link JsonObject} with a description. */
export function openObject(options: { description?: string } = {}): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', ...options });
}
