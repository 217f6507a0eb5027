import { readFileSync } from 'node:fs';
import { StartError } from '../cli/start-error.ts';

/** `process.env` or the like. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The value of a variable: its own, or the content of the file that `NAME_FILE` names. An empty
 * value counts as none.
 * @throws StartError if both are set, or the file cannot be read.
 */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new StartError(`${name} and ${name}_FILE are both set. Keep one of them.`);
  return readSecretFile(name, file) || undefined;
}

/** An environment in which some variables are set, whatever it says itself. */
export function withVariables(env: Environment, variables: Readonly<Record<string, string>>): Environment {
  const files = Object.keys(variables).map((name) => [`${name}_FILE`, undefined]);
  return { ...env, ...variables, ...Object.fromEntries(files) };
}

function readSecretFile(name: string, file: string): string {
  try {
    // Editors and `echo` end a file by a line end that is not part of the value.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as { code?: string };
    throw new StartError(
      `${name}_FILE: the file ${file} cannot be read (${code}). Check its path and its rights.`,
      {
        cause: error,
      },
    );
  }
}
