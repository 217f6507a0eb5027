import { describe, expect, it } from 'vitest';
import type { InvalidInputError } from '../../src/engine/errors.ts';
import { html, type JobPayload, Type, url, variables } from '../../src/plugin/index.ts';
import { ended, testWorld } from '../helpers/engine-world.ts';
import { fake } from '../helpers/fake-plugin.ts';

const Letter = Type.Object(
  {
    to: Type.String({ minLength: 1 }),
    text: Type.Optional(Type.String({ maxLength: 100 })),
    html: Type.Optional(html()),
    link: Type.Optional(url()),
    variables: variables(),
  },
  { additionalProperties: false },
);

const world = testWorld();

async function refusal(work: Promise<unknown>): Promise<InvalidInputError> {
  return work.then(
    () => {
      throw new Error('it was accepted');
    },
    (error) => error,
  );
}

describe('the templates of a batch', () => {
  it('are rendered for each job, by the fields of the schema', async () => {
    const mail = fake({ payload: Letter });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({
      type: 'mail',
      defaults: {
        to: '{{ address }}',
        text: 'Dear {{ name }}{% if vip %}, our best{% endif %}',
        html: '<p>{{ name }}</p>',
        link: 'https://example.com/{{ name }}',
        variables: { name: 'friend' },
      },
      jobs: [
        { variables: { address: 'a@example.com', name: '<Ada & "Bob">', vip: true } },
        { to: '{{ kept }}', variables: {} },
      ],
    });
    await ended(engine, id);
    const payloads = mail.calls.map((call) => call.jobs[0]).sort((a, b) => (a?.seq ?? 0) - (b?.seq ?? 0));
    expect(payloads[0]?.payload).toMatchObject({
      to: 'a@example.com',
      text: 'Dear <Ada & "Bob">, our best',
      html: '<p>&#60;Ada &#38; &#34;Bob&#34;&#62;</p>',
      link: 'https://example.com/%3CAda%20%26%20%22Bob%22%3E',
    });
    expect(payloads[1]?.payload).toMatchObject({
      to: '{{ kept }}',
      text: 'Dear friend',
      html: '<p>friend</p>',
    });
    // What was submitted stays as it was.
    expect((await engine.getJob(`${id}.1`)).payload).toEqual({ to: '{{ kept }}', variables: {} });
  });

  it('name an unknown variable at intake, with the job that lacks it; nothing is stored', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Letter })] });
    const jobs = Array.from({ length: 3_000 }, (_, n) => ({
      to: 'a',
      variables: n === 2_718 ? {} : { nmae: 'Ada' },
    }));
    const error = await refusal(engine.submit({ type: 'mail', defaults: { text: 'Hi {{ nmae }}' }, jobs }));
    expect(error.problems).toEqual([
      { index: 2_718, path: '/text', code: 'invalid_template', message: expect.stringContaining('nmae') },
    ]);
    expect(await world.sql('SELECT 1 FROM batchsender.batches')).toEqual([]);
    const { id } = await engine.submit({ type: 'mail', defaults: { text: 'Hi {{ nmae }}' } });
    const upload = await engine.upload(id);
    const late = await refusal(
      upload.write([{ payload: { to: 'a', variables: { nmae: 'x' } } }, { payload: { to: 'a' } }]),
    );
    expect(late.problems).toMatchObject([{ index: 1, path: '/text', code: 'invalid_template' }]);
    await upload.abort();
  });

  it('are checked as what they render to', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Letter })] });
    const batch = (values: JobPayload) =>
      engine.submit({
        type: 'mail',
        defaults: { to: '{{ to }}', text: '{{ text }}' },
        jobs: [{ variables: values }],
      });
    expect((await refusal(batch({ to: '', text: 'x' }))).problems).toMatchObject([
      { path: '/to', code: 'invalid_value' },
    ]);
    expect((await refusal(batch({ to: 'a', text: 'x'.repeat(101) }))).problems).toMatchObject([
      { path: '/text', code: 'invalid_value' },
    ]);
    expect((await batch({ to: 'a', text: 'x' })).counts.total).toBe(1);
  });

  it('inject nothing by a value: neither fields nor templates', async () => {
    const mail = fake({ payload: Letter });
    const engine = await world.started({ plugins: [mail] });
    const evil = '","to":"evil@example.com","x":"{{ secret }}{% if true %}';
    const { id } = await engine.submit({
      type: 'mail',
      defaults: { to: 'good@example.com', text: '{{ name }}', variables: { secret: 's3cret' } },
      jobs: [{ variables: { name: evil } }],
    });
    await ended(engine, id);
    expect(mail.calls[0]?.jobs[0]?.payload).toMatchObject({ to: 'good@example.com', text: evil });
  });

  it('that do not parse, or defaults with a field that the type has not, are refused with the place', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Letter })] });
    const broken = await refusal(engine.submit({ type: 'mail', defaults: { html: '{% for x in y %}' } }));
    expect(broken).toMatchObject({ code: 'invalid_template', problems: [{ path: '/defaults/html' }] });
    const field = await refusal(engine.submit({ type: 'mail', defaults: { colour: 'red' } }));
    expect(field).toMatchObject({
      code: 'invalid_batch',
      problems: [{ path: '/defaults/colour', code: 'unknown_field' }],
    });
    const value = await refusal(engine.submit({ type: 'mail', defaults: { to: '' } }));
    expect(value).toMatchObject({ code: 'invalid_batch', problems: [{ path: '/defaults/to' }] });
  });

  it('are compiled once a batch, not once a job', async () => {
    const mail = fake({ payload: Letter });
    const engine = await world.started({ plugins: [mail] });
    // Parsing this template for each of the jobs would take more than a minute.
    const text = `{% if long %}${'{{ name }} '.repeat(8_000)}{% endif %}{{ name }}`;
    const jobs = Array.from({ length: 1_000 }, (_, n) => ({
      to: 'a',
      variables: { name: `n${n}`, long: false },
    }));
    const from = performance.now();
    const { id } = await engine.submit({ type: 'mail', defaults: { text }, jobs });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1_000 });
    expect(performance.now() - from).toBeLessThan(20_000);
  });
});
