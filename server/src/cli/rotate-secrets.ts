import { createEngine } from '@batchsender/core';
import { SECRET_KEY } from '../settings/secret-keys.ts';
import { explainDatabase } from './explain.ts';
import { type DatabaseOptions, openDatabase } from './open-database.ts';
import { StartError } from './start-error.ts';

/** What a rotation has done. */
export interface RotationReport {
  readonly text: string;
  readonly isComplete: boolean;
}

/** `batchsender keys rotate-secrets`: seals all stored credentials with the first key. It may be run again. */
export async function rotateSecrets(
  options: Omit<DatabaseOptions, 'onDatabaseLost'>,
): Promise<RotationReport> {
  const { resources, logger } = options;
  const { url, secretKeys } = await openDatabase({ ...options, onDatabaseLost: () => undefined });
  if (secretKeys === undefined) {
    throw new StartError(
      `${SECRET_KEY} is not set. Give the new key first and the old one behind it: ${SECRET_KEY}=<new>,<old>.`,
    );
  }
  // It needs no plugins: credentials are sealed anew as they are.
  const engine = createEngine({ database: url, plugins: [], logger, secretKeys });
  resources.defer(() => engine.stop());
  const { rotated, current, failed } = await engine.connections.rotateSecrets().catch((error: unknown) => {
    throw explainDatabase(error, url);
  });
  const lines = [
    `${rotated} rotated to the key "${secretKeys.current.id}", ${current} had it before, ${failed.length} failed.`,
    ...failed.map(({ connectionId, code }) => `${connectionId}: ${code}`),
  ];
  return { text: lines.join('\n'), isComplete: failed.length === 0 };
}
