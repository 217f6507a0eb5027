import { describe, expect, it } from 'vitest';
import { rowCheck } from '../../../src/engine/intake/row-check.ts';
import {
  defineModule,
  defineProvider,
  type JobPayload,
  type Module,
  succeeded,
  Type,
  variables,
} from '../../../src/plugin/index.ts';

const Payload = Type.Object(
  { to: Type.String(), text: Type.String({ maxLength: 10 }), variables: variables() },
  { additionalProperties: false },
);

const module = defineModule({
  type: 'mail',
  title: 'Mail',
  version: 1,
  payload: Payload,
  providers: {
    fake: defineProvider({
      title: 'Fake',
      payload: Payload,
      credentials: Type.Object({}),
      guarantee: { kind: 'at-least-once' },
      open: () => ({ process: () => succeeded() }),
    }),
  },
}) as unknown as Module;

const check = rowCheck(module, { text: 'Hi {{ name }}' });
const good = { to: 'a', variables: { name: 'Ada' } };

describe('the rows of a submission', () => {
  it('E13: are checked as they will be sent: merged and rendered', () => {
    expect(check(good)).toEqual({ key: null });
    expect(check({ to: 'a', variables: { name: 'Maximilian' } })).toMatchObject({
      problems: [{ path: '/text', code: 'invalid_value' }],
    });
  });

  it('E13: name an unknown variable', () => {
    expect(check({ to: 'a', variables: { nam: 'Ada' } })).toEqual({
      problems: [{ path: '/text', code: 'invalid_template', message: expect.stringContaining('name') }],
    });
  });

  it.each([null, [], 'x', 7, undefined])('E13: must be objects: %j is not', (row) => {
    expect(check(row as unknown as JobPayload)).toMatchObject({
      problems: [{ path: '', code: 'wrong_type' }],
    });
  });

  it('E13: tell their duplicates by the payload as it will be sent', () => {
    const keyed = rowCheck(module, { text: 'Hi {{ name }}' }, (payload) => String(payload['text']));
    expect(keyed(good)).toEqual({ key: 'Hi Ada' });
    expect(keyed({ ...good, text: 'Hi Bob' })).toEqual({ key: 'Hi Bob' });
  });
});
