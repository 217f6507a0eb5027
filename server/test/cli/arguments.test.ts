import { expect, test } from 'vitest';
import { helpText, parseArguments } from '../../src/cli/arguments.ts';
import { LATER } from '../../src/settings/variables.ts';
import { knownVariables } from '../../src/settings.ts';

test.each([
  [[], 'start'],
  [['start'], 'start'],
  [['--help'], 'help'],
  [['-h'], 'help'],
  [['--version'], 'version'],
  [['-v'], 'version'],
])('%j means %s', (args, command) => {
  expect(parseArguments(args)).toBe(command);
});

test.each([[['--port', '80']], [['stop']], [['start', 'now']]])('%j is refused with a hint', (args) => {
  expect(() => parseArguments(args)).toThrow(/is not known\. batchsender --help shows what is\./);
});

test('the help names every variable', () => {
  const help = helpText('1.0.0');
  for (const name of knownVariables()) {
    if (!name.endsWith('_FILE') && !Object.hasOwn(LATER, name)) expect(help).toContain(`  ${name} `);
  }
});
