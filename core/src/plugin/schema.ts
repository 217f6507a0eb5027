import { type TSchema, Type } from 'typebox';

/** Schema keyword of fields that are encrypted at rest and redacted everywhere. */
export const SECRET = 'x-secret';

/** Schema keyword that says how template values are escaped in a string field. */
export const ESCAPE = 'x-escape';

/** A string that is encrypted at rest and never shown again. */
export const secret = (
  options: { description?: string; minLength?: number } = {},
): ReturnType<typeof Type.String> => Type.String({ ...options, [SECRET]: true });

/** A string of HTML: template values are HTML-escaped in it. */
export const html = (
  options: { description?: string; maxLength?: number } = {},
): ReturnType<typeof Type.String> => Type.String({ ...options, [ESCAPE]: 'html' });

/** A URL: template values are percent-encoded in it, unless the whole string is one placeholder. */
export const url = (
  options: { description?: string; maxLength?: number } = {},
): ReturnType<typeof Type.String> => Type.String({ ...options, [ESCAPE]: 'url' });

/** Values for the templates of a batch's defaults, by name. */
export type Variables = Record<string, string | number | boolean>;

/** The field `variables` of a payload: values for `{{ name }}` in the strings of the batch's defaults. */
export const variables = (): ReturnType<typeof variablesSchema> => variablesSchema();

// Type.Record comes out as patternProperties, which OpenAPI tools and form builders do not read.
const variablesSchema = () =>
  Type.Optional(
    Type.Unsafe<Variables>({
      type: 'object',
      additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
      description: 'Values for {{ name }} in the strings of the batch defaults.',
    }),
  );

/** The names of the fields of an object schema that are marked secret. */
export function secretFields(schema: TSchema): string[] {
  const properties = (schema as { properties?: Record<string, Record<string, unknown>> }).properties ?? {};
  return Object.keys(properties).filter((name) => properties[name]?.[SECRET] === true);
}
