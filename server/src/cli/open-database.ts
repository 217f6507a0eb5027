import type { SecretKeys } from '@batchsender/core';
import { startEmbeddedPostgres } from '@batchsender/core/embedded';
import type { Logger } from 'pino';
import { keptSecretKeys } from '../settings/secret-keys.ts';
import type { Settings } from '../settings.ts';

export interface DatabaseOptions {
  readonly settings: Pick<Settings, 'databaseUrl' | 'dataDir' | 'secretKeys'>;
  readonly logger: Logger;
  /** Takes what must be closed again. */
  readonly resources: AsyncDisposableStack;
  /** Called if the embedded database ends by itself. */
  readonly onDatabaseLost: () => void;
}

/** A database that can be worked with. */
export interface OpenDatabase {
  readonly url: string;
  /** Of an embedded one. */
  readonly dataDir: string | undefined;
  /** Encrypt what is secret in it; undefined: no credentials can be stored. */
  readonly secretKeys: SecretKeys | undefined;
}

/** The database of the settings, or else an embedded one, which is started. */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  const { settings, logger, resources, onDatabaseLost } = options;
  const { databaseUrl, secretKeys } = settings;
  if (databaseUrl !== undefined) return { url: databaseUrl, dataDir: undefined, secretKeys };
  const postgres = await startEmbeddedPostgres({
    dataDir: settings.dataDir,
    logger,
    onUnexpectedEnd: onDatabaseLost,
  });
  resources.defer(() => postgres.stop());
  const { url, dataDir } = postgres;
  return { url, dataDir, secretKeys: secretKeys ?? keptSecretKeys(dataDir) };
}
