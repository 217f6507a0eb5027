/** A JSON Schema, as far as columns look into it. */
export type Schema = Readonly<Record<string, unknown>>;

/** The types that JSON Schema knows. */
export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

const ALL: readonly JsonType[] = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (schema: Schema, keyword: string): readonly Schema[] => {
  const list = schema[keyword];
  return Array.isArray(list) ? list.filter(isSchema) : [];
};

/** The schemas that a value may follow, unions taken apart. */
function alternatives(schema: Schema): readonly Schema[] {
  const members = [...listOf(schema, 'anyOf'), ...listOf(schema, 'oneOf')];
  return members.length === 0 ? [schema] : members.flatMap(alternatives);
}

/** The types that a schema allows; all of them if it does not say. */
export function typesOf(schema: Schema): ReadonlySet<JsonType> {
  return new Set(alternatives(schema).flatMap(ownTypes));
}

function ownTypes(schema: Schema): readonly JsonType[] {
  if (schema['type'] !== undefined) return [schema['type']].flat() as JsonType[];
  if (Array.isArray(schema['enum'])) return schema['enum'].map(typeOf);
  if ('const' in schema) return [typeOf(schema['const'])];
  const [part] = listOf(schema, 'allOf');
  if (part !== undefined) return [...typesOf(part)];
  return isSchema(schema['properties']) ? ['object'] : ALL;
}

function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonType;
}

/** The names of the fields of an object schema, those of all members of a union. */
export function fieldNames(schema: Schema): readonly string[] {
  return [...new Set(parts(schema).flatMap((part) => Object.keys(propertiesOf(part))))];
}

/** The schema of a field; undefined if the object cannot have it. */
export function fieldSchema(schema: Schema, name: string): Schema | undefined {
  const objects = parts(schema).filter((part) => typesOf(part).has('object'));
  const declared = objects.flatMap((part) => {
    const properties = propertiesOf(part);
    return Object.hasOwn(properties, name) ? [properties[name] as Schema] : [];
  });
  if (declared.length > 0) return declared.length === 1 ? declared[0] : { anyOf: declared };
  return objects.map(openSchema).find((open) => open !== undefined);
}

/** Names that every object of the schema must have. */
export function requiredNames(schema: Schema): readonly string[] {
  const lists = alternatives(schema).map((part) =>
    [part, ...listOf(part, 'allOf')].flatMap((one) => (one['required'] ?? []) as readonly string[]),
  );
  const [first = [], ...others] = lists;
  return first.filter((name) => others.every((list) => list.includes(name)));
}

const parts = (schema: Schema): readonly Schema[] =>
  alternatives(schema).flatMap((part) => [part, ...listOf(part, 'allOf').flatMap(parts)]);

const propertiesOf = (schema: Schema): Readonly<Record<string, unknown>> =>
  isSchema(schema['properties']) ? schema['properties'] : {};

/** What a name follows that is not declared; undefined if none may be there. */
function openSchema(schema: Schema): Schema | undefined {
  const { additionalProperties, patternProperties } = schema;
  if (isSchema(patternProperties)) return Object.values(patternProperties).find(isSchema);
  if (additionalProperties === false) return undefined;
  return isSchema(additionalProperties) ? additionalProperties : {};
}
