import { expect, it } from 'vitest';
import { readSettings, SettingError } from '../src/settings.ts';

it('runs 2,000 jobs of each type without sabotage unless told otherwise', () => {
  expect(readSettings({})).toEqual({ jobs: 2_000, sabotage: undefined });
  expect(readSettings({ DEMO_JOBS: '', DEMO_SABOTAGE: '' })).toEqual({ jobs: 2_000, sabotage: undefined });
  expect(readSettings({ DEMO_JOBS: '200', DEMO_SABOTAGE: 'drop-one' })).toEqual({
    jobs: 200,
    sabotage: 'drop-one',
  });
});

it.each(['0', '19', '50001', '1e3', '-200', '200.5', '9999999999', 'many', ' 200'])(
  'refuses DEMO_JOBS=%j, and says what is allowed',
  (text) => {
    expect(() => readSettings({ DEMO_JOBS: text })).toThrow(
      new SettingError(`DEMO_JOBS is "${text}". It must be a whole number from 20 to 50000.`),
    );
  },
);

it('refuses a sabotage that it does not know, since the run would pass for a clean one', () => {
  expect(() => readSettings({ DEMO_SABOTAGE: 'drop_one' })).toThrow(
    'DEMO_SABOTAGE is "drop_one". It must be one of drop-one, double-one, accept-failed, or unset.',
  );
});
