import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../src/engine/errors.ts';
import { compileDefaults, TemplateError } from '../../../src/engine/intake/defaults.ts';
import { html, type JobPayload, Type, url, variables } from '../../../src/plugin/index.ts';

const Payload = Type.Object({
  to: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  html: Type.Optional(html()),
  link: Type.Optional(url()),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  body: Type.Optional(Type.Unknown()),
  parts: Type.Optional(Type.Array(Type.Object({ html: html() }))),
  variables: variables(),
});

const merge = (defaults: JobPayload, payload: JobPayload = {}) => compileDefaults(defaults, Payload)(payload);

/** The field `field` of the defaults, rendered for these variables. */
const render = (field: string, template: unknown, values: JobPayload = {}) =>
  merge({ [field]: template }, { variables: values })[field];

describe("a batch's defaults", () => {
  it('give way to the fields of the job, which are never templates', () => {
    expect(merge({ to: 'x', text: 'Hello {{ name }}' }, { text: '{{ name }}' })).toEqual({
      to: 'x',
      text: '{{ name }}',
    });
  });

  it('share their variables with the jobs, name by name', () => {
    const defaults = { text: '{{ greeting }} {{ name }}', variables: { greeting: 'Hi', name: 'you' } };
    expect(merge(defaults)['text']).toBe('Hi you');
    expect(merge(defaults, { variables: { name: 'Ada' } })).toEqual({
      text: 'Hi Ada',
      variables: { greeting: 'Hi', name: 'Ada' },
    });
  });

  it('may be absent or empty', () => {
    const payload = { to: 'x' };
    expect(compileDefaults(null, Payload)(payload)).toBe(payload);
    expect(compileDefaults({}, Payload)(payload)).toBe(payload);
  });

  it('are rendered anew for each job and leave its payload as it is', () => {
    const template = compileDefaults({ text: '{{ n }}' }, Payload);
    const payload = { variables: { n: 1 } };
    expect(template(payload)['text']).toBe('1');
    expect(template({ variables: { n: 2 } })['text']).toBe('2');
    expect(payload).toEqual({ variables: { n: 1 } });
  });
});

describe('a template', () => {
  it('is rendered in any string of the defaults, however deep', () => {
    const body = { list: ['{{ a }}', 7, { deep: 'x{{ b }}' }], keep: true };
    expect(render('body', body, { a: 'A', b: 'B' })).toEqual({ list: ['A', 7, { deep: 'xB' }], keep: true });
  });

  it('stays a value inside the parsed structure, whatever the variable holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const body = { name: '{{ v }}', admin: false };
        expect(render('body', body, { v: value })).toEqual({ name: value, admin: false });
      }),
    );
    expect(render('body', { name: '{{ v }}' }, { v: '","admin":true,"x":"' })).toEqual({
      name: '","admin":true,"x":"',
    });
  });

  it('does not render what a variable brings', () => {
    expect(render('text', '{{ v }}', { v: '{{ secret }}', secret: 's' })).toBe('{{ secret }}');
    expect(render('text', '{{ v }}', { v: '{% if true %}x{% endif %}' })).toBe('{% if true %}x{% endif %}');
  });

  it('is HTML-escaped in fields of HTML, also inside a list', () => {
    const v = `<b onclick="x('&')">`;
    const escaped = '&#60;b onclick=&#34;x(&#39;&#38;&#39;)&#34;&#62;';
    expect(render('html', '<p>{{ v }}</p>', { v })).toBe(`<p>${escaped}</p>`);
    expect(render('parts', [{ html: '{{ v }}' }], { v })).toEqual([{ html: escaped }]);
    expect(render('text', '{{ v }}', { v })).toBe(v);
  });

  it('leaves no way out of an HTML field open, whatever the variable holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (v) => {
        expect(render('html', '[{{ v }}]', { v })).not.toMatch(/[<>"']/);
      }),
    );
  });

  it('is percent-encoded in fields of URLs, so that a value cannot change the path or the host', () => {
    const link = 'https://example.com/u/{{ id }}?x={{ q }}';
    expect(render('link', link, { id: '../admin', q: 'a&b=c#d' })).toBe(
      'https://example.com/u/..%2Fadmin?x=a%26b%3Dc%23d',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (id) => {
        const rendered = new URL(String(render('link', 'https://example.com/u/x{{ id }}', { id })));
        expect(rendered.host).toBe('example.com');
        expect(rendered.pathname.split('/')).toHaveLength(3);
        expect(rendered.search + rendered.hash).toBe('');
      }),
    );
  });

  it('may be a whole URL, which is taken as it is', () => {
    expect(render('link', '{{ u }}', { u: 'https://a.example/b?c=d' })).toBe('https://a.example/b?c=d');
  });

  it('knows conditions, and lets them ask for a variable that a job lacks', () => {
    const text = '{% if vip %}Dear {{ name }}{% else %}Hi{% endif %}';
    expect(render('text', text, { vip: true, name: 'Ada' })).toBe('Dear Ada');
    expect(render('text', text)).toBe('Hi');
  });

  it('names a variable that a job lacks, and the place', () => {
    const work = () => render('text', 'Hi {{ nmae }}', { name: 'Ada' });
    expect(work).toThrow(TemplateError);
    expect(work).toThrow(/nmae/);
    try {
      render('body', { 'a/b': ['{{ gone }}'] });
      expect.unreachable();
    } catch (error) {
      expect((error as TemplateError).path).toBe('/body/a~1b/0');
    }
  });

  it.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'name.length.constructor',
    'name.constructor',
  ])('reaches nothing but the variables: %s', (path) => {
    let text: unknown;
    try {
      text = render('text', `{{ ${path} }}`, { name: 'Ada' });
    } catch (error) {
      expect(error).toBeInstanceOf(TemplateError);
    }
    expect(text ?? '').toBe('');
  });

  it.each([
    ['a loop', '{% for i in (1..9) %}x{% endfor %}'],
    ['an include', "{% include 'x' %}"],
    ['a render', "{% render 'x' %}"],
    ['an assignment', '{% assign a = 1 %}'],
    ['a layout', "{% layout 'x' %}"],
    ['an unknown filter', "{{ 'a' | nosuch }}"],
    ['an open tag', 'Hi {{ name'],
    ['an open block', '{% if a %}x'],
  ])('that holds %s is refused at once, with its place', (_name, template) => {
    try {
      compileDefaults({ body: { x: template } }, Payload);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      const { code, problems } = error as InvalidInputError;
      expect(code).toBe('invalid_template');
      expect(problems).toEqual([
        expect.objectContaining({
          path: '/defaults/body/x',
          code: 'invalid_template',
          message: expect.any(String),
        }),
      ]);
    }
  });

  it('that is longer than a million characters is refused', () => {
    expect(() => compileDefaults({ text: `{{ a }}${'x'.repeat(1_000_000)}` }, Payload)).toThrow(
      InvalidInputError,
    );
  });

  it('survives a pause of the process, but not being slow', () => {
    const pausing = (pauses: number) => {
      let left = pauses;
      return {
        get slow() {
          const until = performance.now() + (left-- > 0 ? 120 : 0);
          while (performance.now() < until);
          return 'x';
        },
      };
    };
    expect(render('text', "{{ slow | append: '' }}{{ slow }}", pausing(1))).toBe('xx');
    expect(() => render('text', "{{ slow | append: '' }}{{ slow }}", pausing(9))).toThrow(/render limit/);
  });

  it('that would make a huge text fails for its job', () => {
    const grow = "{{ v | replace: 'x', v | replace: 'x', v | replace: 'x', v }}";
    expect(() => render('text', grow, { v: 'x'.repeat(3_000) })).toThrow(TemplateError);
  });
});
