import { Variables } from '../settings/variables.ts';
import { StartError } from './start-error.ts';

/** What the command line asks for. */
export type Command = 'start' | 'help' | 'version';

/** Reads the command line. @throws StartError for an argument that is not known. */
export function parseArguments(args: readonly string[]): Command {
  const [first, ...more] = args;
  if (first === undefined || (first === 'start' && more.length === 0)) return 'start';
  if (first === '--help' || first === '-h') return 'help';
  if (first === '--version' || first === '-v') return 'version';
  throw new StartError(`"${args.join(' ')}" is not known. batchsender --help shows what is.`);
}

/** The text of `--help`. */
export function helpText(version: string): string {
  const schemas: Record<string, object> = Variables.properties;
  const variables = Object.entries(schemas).map(([name, schema]) => {
    const { description, default: fallback } = schema as { description?: string; default?: unknown };
    const ending = fallback === undefined || fallback === '' ? '' : ` [${String(fallback)}]`;
    return `  ${name.padEnd(32)}${description}${ending}`;
  });
  return [
    `BatchSender ${version}: delivers large batches of jobs, and knows what became of every single one.`,
    '',
    'Usage: batchsender [--help] [--version]',
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
