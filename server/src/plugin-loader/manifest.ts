import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../cli/start-error.ts';

/** What is read of a `package.json`. */
export interface Manifest {
  readonly name?: string;
  readonly keywords?: readonly string[];
  readonly main?: string;
  readonly exports?: unknown;
  readonly workspaces?: readonly string[] | { readonly packages?: readonly string[] };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Reads the `package.json` of a folder; undefined if there is none. @throws StartError if it is not JSON. */
export function readManifest(directory: string): Manifest | undefined {
  const file = join(directory, 'package.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new StartError(`${file} is not valid JSON. Mend it, then start again.`, { cause });
  }
}
