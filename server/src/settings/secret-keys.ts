import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSecretKeys, type SecretKeys } from '@batchsender/core';
import { StartError } from '../cli/start-error.ts';

/** The variable of the keys that encrypt credentials. */
export const SECRET_KEY = 'BATCHSENDER_SECRET_KEY';

const FILE = 'secret-key';

/** Reads the value of the variable. @throws StartError, without showing a key. */
export function readSecretKeys(text: string, source: string = SECRET_KEY): SecretKeys {
  try {
    return parseSecretKeys(text);
  } catch (error) {
    throw new StartError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The keys of an embedded database: made at its first start and kept in its folder, readable by its owner
 * alone. Whoever takes the folder takes both, so this guards dumps of the database, no more.
 */
export function keptSecretKeys(dataDir: string): SecretKeys {
  const file = join(dataDir, FILE);
  const made = `made:${randomBytes(32).toString('base64')}\n`;
  try {
    writeFileSync(file, made, { mode: 0o600, flag: 'wx' });
    return readSecretKeys(made.trim(), file);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw notKept(file, error);
  }
  // It may have come from a backup, with other rights.
  chmodSync(file, 0o600);
  return readSecretKeys(readFileSync(file, 'utf8').trim(), file);
}

function notKept(file: string, cause: unknown): unknown {
  const { code } = cause as { code?: string };
  if (code === undefined) return cause;
  return new StartError(
    `The key for credentials cannot be kept in ${file} (${code}): set ${SECRET_KEY} instead.`,
    {
      cause,
    },
  );
}
