import { describe, expect, it } from 'vitest';
import { payloadCheck, valueProblems } from '../../../src/engine/intake/payload-check.ts';
import { defineModule, defineProvider, type Module, succeeded, Type } from '../../../src/plugin/index.ts';

const Payload = Type.Object(
  {
    to: Type.String({ minLength: 2 }),
    count: Type.Optional(Type.Integer({ maximum: 9 })),
    tags: Type.Optional(Type.Array(Type.String())),
    address: Type.Optional(Type.Union([Type.String(), Type.Object({ city: Type.String() })])),
  },
  { additionalProperties: false },
);

const provider = defineProvider({
  title: 'Fake',
  payload: Payload,
  credentials: Type.Object({}),
  guarantee: { kind: 'at-least-once' },
  open: () => ({ process: () => succeeded() }),
});

const module = defineModule({
  type: 'mail',
  title: 'Mail',
  version: 1,
  payload: Payload,
  validate: (payload) =>
    payload.to.includes('@') ? undefined : [{ path: '/to', code: 'address', message: 'must be an address' }],
  providers: { fake: provider },
}) as unknown as Module;

const check = payloadCheck(module);

describe('the check of a payload', () => {
  it('answers nothing for a valid one', () => {
    expect(check({ to: 'a@b', count: 3, tags: ['x'], address: { city: 'Ulm' } })).toBeUndefined();
  });

  it.each([
    [{}, '/to', 'missing_field'],
    [{ to: 'a@b', colour: 'red' }, '/colour', 'unknown_field'],
    [{ to: 'a@b', 'a/b~c': 1 }, '/a~1b~0c', 'unknown_field'],
    [{ to: 7 }, '/to', 'wrong_type'],
    [{ to: 'a@b', count: 10 }, '/count', 'invalid_value'],
    [{ to: 'a@b', count: 1.5 }, '/count', 'wrong_type'],
    [{ to: 'a@b', tags: ['x', 7] }, '/tags/1', 'wrong_type'],
    [{ to: 'a' }, '/to', 'invalid_value'],
  ])('names the place of what is wrong in %j', (payload, path, code) => {
    expect(check(payload)).toContainEqual(
      expect.objectContaining({ path, code, message: expect.any(String) }),
    );
  });

  it('asks the module what a schema cannot say, only about payloads that the schema accepts', () => {
    expect(check({ to: 'nobody' })).toEqual([
      { path: '/to', code: 'address', message: 'must be an address' },
    ]);
    expect(check({ to: 7 })).not.toContainEqual(expect.objectContaining({ code: 'address' }));
  });

  it('names at most five problems a job', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x${i}`, 1]));
    expect(check({ to: 1, count: 'x', tags: [1, 2, 3, 4, 5, 6, 7], ...many })?.length).toBeLessThanOrEqual(5);
  });

  it('is compiled once a module', () => expect(payloadCheck(module)).toBe(check));
});

describe('the check of another value', () => {
  it('names the place', () => {
    const schema = Type.Object({ a: Type.Object({ b: Type.Integer() }) });
    expect(valueProblems(schema, { a: { b: 1 } })).toEqual([]);
    expect(valueProblems(schema, { a: { b: 'x' } })).toMatchObject([{ path: '/a/b', code: 'wrong_type' }]);
  });
});
