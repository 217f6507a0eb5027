import { Variables } from '../settings/variables.ts';
import { StartError } from './start-error.ts';

/** What the command line asks for. */
export interface Command {
  readonly name: 'start' | 'help' | 'version' | 'rotate-secrets';
  /** Variables that it sets, whatever the environment says. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Options that stand for a variable. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--role': 'BATCHSENDER_ROLE',
  '--types': 'BATCHSENDER_TYPES',
};

const COMMANDS: ReadonlyMap<string, Command['name']> = new Map([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['-v', 'version'],
  ['keys rotate-secrets', 'rotate-secrets'],
]);

/** Reads the command line. @throws StartError for an argument that is not known. */
export function parseArguments(args: readonly string[]): Command {
  const name = COMMANDS.get(args.join(' '));
  return name === undefined ? { name: 'start', variables: readOptions(args) } : { name, variables: {} };
}

function readOptions(args: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = {};
  const rest = args[0] === 'start' ? args.slice(1) : [...args];
  while (rest.length > 0) {
    const [option = '', ...inline] = (rest.shift() ?? '').split('=');
    const variable = OPTIONS[option];
    const value = inline.length > 0 ? inline.join('=') : rest.shift();
    if (variable === undefined) throw unknownArguments(args);
    if (value === undefined || value === '') throw new StartError(`${option} needs a value. ${SEE_HELP}`);
    variables[variable] = value;
  }
  return variables;
}

const SEE_HELP = 'batchsender --help shows what is known.';

const unknownArguments = (args: readonly string[]): StartError =>
  new StartError(`"${args.join(' ')}" is not known. batchsender --help shows what is.`);

/** The text of `--help`. */
export function helpText(version: string): string {
  const schemas: Record<string, object> = Variables.properties;
  const width = Math.max(...Object.keys(schemas).map((name) => name.length)) + 2;
  const variables = Object.entries(schemas).map(([name, schema]) => {
    const { description, default: fallback } = schema as { description?: string; default?: unknown };
    const ending = fallback === undefined || fallback === '' ? '' : ` [${String(fallback)}]`;
    return `  ${name.padEnd(width)}${description}${ending}`;
  });
  return [
    `BatchSender ${version}: delivers large batches of jobs, and knows what became of every single one.`,
    '',
    'Usage: batchsender [--role all|api|runner] [--types <type>,…] [--help] [--version]',
    '',
    '  --role all     the API and, in a process of its own, the runner (the default)',
    '  --role api     the API alone; --role runner: the runner alone. Both need DATABASE_URL',
    '  --types        the job types that the runner takes; it leaves the others to other runners',
    '',
    'batchsender keys rotate-secrets seals all stored credentials with the first key of BATCHSENDER_SECRET_KEY.',
    '',
    'It loads the plugins that batchsender.config.ts (or .js, .mjs) in the working directory names,',
    'or else those among the dependencies in its package.json. Settings come from the environment;',
    'each may be given as NAME_FILE too, the path of a file that holds the value.',
    '',
    ...variables,
    '',
    'BATCHSENDER_<TYPE>_<PROVIDER>_<FIELD> sets a field of the credentials of a provider, for example',
    '  BATCHSENDER_WEBHOOK_HTTP_SIGNING_SECRET',
    '',
  ].join('\n');
}
