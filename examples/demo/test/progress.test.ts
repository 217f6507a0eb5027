import { expect, it } from 'vitest';
import { bar } from '../src/progress.ts';

it('fills the bar by the share, and completely only at the end', () => {
  expect(bar(0)).toBe('░'.repeat(30));
  expect(bar(0.5)).toBe('█'.repeat(15) + '░'.repeat(15));
  expect(bar(1_999 / 2_000)).toBe(`${'█'.repeat(29)}░`);
  expect(bar(1)).toBe('█'.repeat(30));
});
