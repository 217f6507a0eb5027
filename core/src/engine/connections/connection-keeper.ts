import type { Logger } from '../../plugin/index.ts';
import { Beat } from '../beat.ts';
import type { SteerStore } from '../host-store.ts';
import type { TokenRefresher } from '../oauth/token-refresher.ts';
import type { Registry } from '../registry.ts';
import type { Vault } from '../vault/vault.ts';
import { isKeyError, KEY_CODES } from './opened.ts';
import type { ConnectionRow, ConnectionStore } from './store.ts';

export interface ConnectionKeeperOptions {
  readonly store: Pick<ConnectionStore, 'blockedBy'>;
  readonly steer: Pick<SteerStore, 'unblock'>;
  readonly registry: Registry;
  readonly vault: Vault;
  readonly refresher: TokenRefresher;
  readonly logger: Logger;
}

const BEAT_MS = 5_000;

/** Keeps stored connections working: refreshes OAuth tokens in time, and lifts blocks that this start has mended. */
export class ConnectionKeeper {
  readonly #options: ConnectionKeeperOptions;
  readonly #beat: Beat | undefined;

  constructor(options: ConnectionKeeperOptions) {
    this.#options = options;
    const { registry, refresher, logger } = options;
    const providers = registry.list().flatMap(({ module }) => Object.values(module.providers));
    if (!providers.some(({ oauth }) => oauth !== undefined)) return;
    this.#beat = new Beat({
      work: () => refresher.refreshDue(),
      everyMs: () => BEAT_MS,
      onError: (error) => logger.warn({ err: error }, 'OAuth tokens could not be looked after'),
    });
  }

  /** A key that was missing, or was the wrong one, may be there now. */
  async start(): Promise<void> {
    const { store, steer, vault, logger } = this.#options;
    for (const row of await store.blockedBy(KEY_CODES)) {
      if (!opens(vault, row)) continue;
      await steer.unblock(row.tenantId ?? '', row.id);
      logger.info({ connectionId: row.id }, `Connection ${row.id} is unblocked: its secret key is there now`);
    }
    this.#beat?.start();
  }

  async stop(): Promise<void> {
    await this.#beat?.stop();
  }
}

function opens(vault: Vault, { id, sealed }: ConnectionRow): boolean {
  try {
    vault.open(sealed ?? '', id);
    return true;
  } catch (error) {
    if (isKeyError(error)) return false;
    throw error;
  }
}
