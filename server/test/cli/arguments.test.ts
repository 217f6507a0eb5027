import { expect, test } from 'vitest';
import { helpText, parseArguments } from '../../src/cli/arguments.ts';
import { knownVariables } from '../../src/settings.ts';

test.each([
  [[], 'start'],
  [['start'], 'start'],
  [['--help'], 'help'],
  [['-h'], 'help'],
  [['--version'], 'version'],
  [['-v'], 'version'],
  [['keys', 'rotate-secrets'], 'rotate-secrets'],
])('%j means %s', (args, name) => {
  expect(parseArguments(args)).toEqual({ name, variables: {} });
});

test.each([[['--role', 'runner', '--types', 'sms,crm']], [['start', '--types=sms,crm', '--role=runner']]])(
  '%j sets the variables',
  (args) => {
    expect(parseArguments(args).variables).toEqual({
      BATCHSENDER_ROLE: 'runner',
      BATCHSENDER_TYPES: 'sms,crm',
    });
  },
);

test.each([[['--role']], [['--types=']]])('%j lacks a value', (args) => {
  expect(() => parseArguments(args)).toThrow(/needs a value\. batchsender --help/);
});

test.each([
  [['--port', '80']],
  [['stop']],
  [['keys']],
  [['keys', 'rotate-secrets', 'now']],
  [['start', 'now']],
])('%j is refused with a hint', (args) => {
  expect(() => parseArguments(args)).toThrow(/is not known\. batchsender --help shows what is\./);
});

test('the help names every variable', () => {
  const help = helpText('1.0.0');
  for (const name of knownVariables()) {
    if (!name.endsWith('_FILE')) expect(help).toContain(`  ${name} `);
  }
});
