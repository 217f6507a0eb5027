import { expect, test } from 'vitest';
import { nodeFlags } from '../../src/processes/fork-child.ts';

test.each([
  [['--conditions=x'], undefined, ['--conditions=x', '--max-semi-space-size=16']],
  [['--max-semi-space-size=8'], undefined, ['--max-semi-space-size=8']],
  [['--inspect=9229', '--inspect-brk'], undefined, ['--max-semi-space-size=16']],
  [
    ['--max-old-space-size=2000'],
    512,
    ['--max-old-space-size=2000', '--max-semi-space-size=16', '--max-old-space-size=512'],
  ],
])('a server with the flags %j and a limit of %s gives its children %j', (own, memoryMb, flags) => {
  expect(nodeFlags(own, memoryMb)).toEqual(flags);
});
