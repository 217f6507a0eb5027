import { describe, expect, it } from 'vitest';
import { schemaProblem } from '../../src/engine/check-schema.ts';
import { html, secret, Type, url, variables } from '../../src/plugin/index.ts';

describe('the check of a schema', () => {
  it.each([
    ['an object', Type.Object({ a: Type.String(), b: Type.Optional(Type.Integer()) })],
    ['fields of the contract', Type.Object({ h: html(), u: url(), s: secret(), variables: variables() })],
    ['unions and lists', Type.Object({ a: Type.Array(Type.Union([Type.Null(), Type.Literal('x')])) })],
    ['a boolean schema', { type: 'object', properties: { any: true, none: false } }],
    ['several types', { type: ['string', 'null'] }],
    ['conditions', { type: 'object', if: { required: ['a'] }, then: {}, else: { not: {} } }],
  ])('finds nothing wrong with %s', (_name, schema) => expect(schemaProblem(schema)).toBeUndefined());

  it.each<[unknown, RegExp]>([
    ['object', /^\/ is not a schema/],
    [null, /^\/ is not a schema/],
    [{ type: 'strnig' }, /^\/type is 'strnig'/],
    [{ type: ['string', 7] }, /^\/type is '7'/],
    [{ type: 'object', properties: { a: { type: 'text' } } }, /^\/properties\/a\/type is 'text'/],
    [{ type: 'object', properties: { a: 'string' } }, /^\/properties\/a is not a schema/],
    [{ type: 'object', properties: ['a'] }, /^\/properties must map names/],
    [{ type: 'object', required: 'a' }, /^\/required must be a list/],
    [{ type: 'object', required: [1] }, /^\/required must be a list/],
    [{ anyOf: [] }, /^\/anyOf must be a list/],
    [{ anyOf: {} }, /^\/anyOf must be a list/],
    [{ oneOf: [{ type: 'x' }] }, /^\/oneOf\/0\/type is 'x'/],
    [{ type: 'array', items: 'string' }, /^\/items is not a schema/],
    [{ $ref: '#/$defs/a' }, /^\/\$ref: references are not supported/],
    [{ properties: { a: { items: { $ref: 'x' } } } }, /^\/properties\/a\/items\/\$ref/],
  ])('says what is wrong with %j', (schema, problem) => expect(schemaProblem(schema)).toMatch(problem));
});
