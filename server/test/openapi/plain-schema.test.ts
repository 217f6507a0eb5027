import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { plainSchema } from '../../src/openapi/plain-schema.ts';

test('a record becomes additional properties', () => {
  expect(plainSchema(Type.Record(Type.String(), Type.Number()))).toEqual({
    type: 'object',
    additionalProperties: { type: 'number' },
  });
});

test('the pattern of the keys of a record is kept', () => {
  expect(plainSchema(Type.Record(Type.String({ pattern: '^x-' }), Type.Number()))).toMatchObject({
    propertyNames: { pattern: '^x-' },
    additionalProperties: { type: 'number' },
  });
});

test('a tuple gets prefix items, at any depth', () => {
  const schema = Type.Object({ a: Type.Array(Type.Tuple([Type.String(), Type.Number()])) });
  expect(plainSchema(schema)).toMatchObject({
    properties: { a: { items: { prefixItems: [{ type: 'string' }, { type: 'number' }], items: false } } },
  });
});

test('a schema that refers to itself is shown as an open object', () => {
  const schema = Type.Cyclic({ Node: Type.Object({ next: Type.Optional(Type.Ref('Node')) }) }, 'Node');
  expect(plainSchema(schema)).toEqual({
    type: 'object',
    description: expect.stringContaining('/v1/modules'),
  });
});
