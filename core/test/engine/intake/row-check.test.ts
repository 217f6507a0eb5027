import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../src/engine/errors.ts';
import { checkRows, MAX_PROBLEMS, rowCheck } from '../../../src/engine/intake/row-check.ts';
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

function problemsOf(rows: readonly JobPayload[], firstIndex = 0): InvalidInputError {
  try {
    checkRows(rows, (row) => row, firstIndex, check);
  } catch (error) {
    return error as InvalidInputError;
  }
  throw new Error('the rows were accepted');
}

describe('the rows of a submission', () => {
  it('E13: are checked as they will be sent: merged and rendered', () => {
    expect(check(good, 0)).toBeUndefined();
    expect(check({ to: 'a', variables: { name: 'Maximilian' } }, 3)).toMatchObject([
      { index: 3, path: '/text', code: 'invalid_value' },
    ]);
  });

  it('E13: name an unknown variable and the job that lacks it', () => {
    expect(check({ to: 'a', variables: { nam: 'Ada' } }, 7)).toEqual([
      { index: 7, path: '/text', code: 'invalid_template', message: expect.stringContaining('name') },
    ]);
  });

  it.each([null, [], 'x', 7, undefined])('E13: must be objects: %j is not', (row) => {
    expect(check(row as unknown as JobPayload, 2)).toMatchObject([
      { index: 2, path: '', code: 'wrong_type' },
    ]);
  });

  it('E13: are refused with the index and the pointer of the first problem', () => {
    const error = problemsOf([good, good, { to: 7 } as unknown as JobPayload], 4_709);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error.code).toBe('invalid_payload');
    expect(error.problems[0]).toMatchObject({ index: 4_711, path: '/text', code: 'invalid_template' });
    expect(error.message).toContain('4711');
    expect(error.message).toContain('/text');
  });

  it('E13: list at most a hundred problems', () => {
    const rows = Array.from(
      { length: 1_000 },
      () => ({ to: 1, colour: 2, size: 3 }) as unknown as JobPayload,
    );
    expect(problemsOf(rows).problems).toHaveLength(MAX_PROBLEMS);
    expect(MAX_PROBLEMS).toBe(100);
  });
});
