import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDefaults } from '../../../src/engine/intake/defaults.ts';
import { type Escape, escapeOf, liquid } from '../../../src/engine/intake/liquid.ts';
import { simpleTemplate } from '../../../src/engine/intake/simple-template.ts';
import { Type } from '../../../src/plugin/index.ts';

const ways: Escape[] = ['none', 'html', 'url'];

/** Pieces of templates: texts, plain placeholders, and all that looks like them. */
const piece = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '{{ a }}',
    '{{b}}',
    '{{\n c\t}}',
    '{{ _d1 }}',
    '{{ a.b }}',
    '{{ a | upcase }}',
    '{{- a -}}',
    '{{ true }}',
    '{{ nil }}',
    '{{ missing }}',
    '{% if a %}x{% endif %}',
    '{{',
    '}}',
    '{',
    '}',
    '{%',
  ),
);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant({ b: 1 }),
  fc.constant([1, 2]),
);
const variables = fc.record({ a: value, b: value, c: value, _d1: value });

describe('a template of placeholders alone', () => {
  it('gives what the template engine gives, or nothing', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        variables,
        fc.constantFrom(...ways),
        (pieces, given, way) => {
          const template = pieces.join('');
          const quick = simpleTemplate(template, escapeOf(way))?.(given);
          if (quick === undefined) return;
          expect(quick).toBe(liquid(way).renderSync(liquid(way).parse(template), given));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each(['{{ a }}', 'Dear {{ a }}, {{b}}!', '{{\na\n}}', 'no placeholder'])('is known: %j', (template) => {
    expect(simpleTemplate(template, String)?.({ a: 1, b: 'x' })).toBeTypeOf('string');
  });

  it.each([
    '{{ a | upcase }}',
    '{{ a.b }}',
    '{{- a }}',
    '{% if a %}{% endif %}',
    '{{ true }}',
    '{{ a b }}',
    '{{',
  ])('is not: %j', (template) => {
    expect(simpleTemplate(template, String)).toBeUndefined();
  });

  it.each([
    ['missing', {}],
    ['null', { a: null }],
    ['a list', { a: [1] }],
    ['inherited', Object.create({ a: 1 })],
  ])('leaves a value that is %s to the engine', (_what, given) => {
    expect(simpleTemplate('{{ a }}', String)?.(given)).toBeUndefined();
  });

  it('says of an unknown variable what the engine says', () => {
    const merge = compileDefaults({ text: 'Hi {{ nmae }}' }, Type.Object({ text: Type.String() }));
    expect(() => merge({ variables: { name: 'Ada' } })).toThrow(/undefined variable: nmae/);
  });
});
