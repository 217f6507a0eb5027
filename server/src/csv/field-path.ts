import { fieldNames, fieldSchema, type Schema, typesOf } from './schema-shape.ts';

/** A place in the payload, with the schema of what stands there. */
export interface Field {
  readonly path: readonly string[];
  readonly schema: Schema;
}

/**
 * The field that a dotted name means: `to`, `record.Email`, `body.user.name`. Declared names are
 * found in any case. Where an object takes any names, the rest of the name goes in as it is,
 * nested as far as the schema takes objects. Undefined if there is no such field.
 */
export function findField(schema: Schema, name: string): Field | undefined {
  if (name === '') return undefined;
  return findDeclared(schema, name) ?? findOpen(schema, name);
}

/** Like {@link findField}, but the first name must be declared. */
export function findDeclared(schema: Schema, name: string): Field | undefined {
  const whole = declaredName(schema, name);
  if (whole !== undefined) return { path: [whole], schema: fieldSchema(schema, whole) as Schema };
  const { head, tail } = cutAtDot(name);
  const declared = tail === undefined ? undefined : declaredName(schema, head);
  if (tail === undefined || declared === undefined) return undefined;
  return within(declared, findField(fieldSchema(schema, declared) as Schema, tail));
}

/** True if the name begins with a declared field, whether or not the rest can be found in it. */
export function beginsDeclared(schema: Schema, name: string): boolean {
  return declaredName(schema, cutAtDot(name).head) !== undefined;
}

function findOpen(schema: Schema, name: string): Field | undefined {
  const { head, tail } = cutAtDot(name);
  if (declaredName(schema, head) !== undefined) return undefined;
  const open = fieldSchema(schema, name);
  if (open === undefined) return undefined;
  return tail !== undefined && typesOf(open).has('object')
    ? within(head, findField(open, tail))
    : { path: [name], schema: open };
}

const within = (name: string, field: Field | undefined): Field | undefined =>
  field === undefined || name === '' ? undefined : { ...field, path: [name, ...field.path] };

function declaredName(schema: Schema, name: string): string | undefined {
  const names = fieldNames(schema);
  if (names.includes(name)) return name;
  const alike = names.filter((one) => one.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? alike[0] : undefined;
}

function cutAtDot(name: string): { head: string; tail: string | undefined } {
  const dot = name.indexOf('.');
  return dot === -1
    ? { head: name, tail: undefined }
    : { head: name.slice(0, dot), tail: name.slice(dot + 1) };
}
