import type { JsonObject, Logger, OAuth, Provider } from '../../plugin/index.ts';
import { unseal } from '../connections/opened.ts';
import { sealCredentials } from '../connections/seal.ts';
import type { BlockReason, ConnectionStore, TokenState } from '../connections/store.ts';
import type { Registry } from '../registry.ts';
import type { Vault } from '../vault/vault.ts';
import { endpointOf, requestTokens, TokenError } from './token-endpoint.ts';
import { lifeOf, tokenTimes, withTokens } from './tokens.ts';

export interface TokenRefresherOptions {
  readonly store: Pick<ConnectionStore, 'withTokens' | 'dueTokens'>;
  readonly registry: Registry;
  readonly vault: Vault;
  /** Obeys the network policy. */
  readonly fetch: typeof globalThis.fetch;
  readonly logger: Logger;
}

/** `renewed`: there are other credentials than those of the version that was asked for. */
export type Refreshed = 'renewed' | 'not-due' | 'failed' | 'revoked';

type Why = 'due' | 'refused';

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
const MOST_AT_ONCE = 10;

const REVOKED: BlockReason = {
  code: 'grant_revoked',
  message:
    'The provider takes the refresh token no more: the grant was revoked or has ended. ' +
    'Grant access again: call POST /v1/connections/{id}/authorize and open its URL',
};

/** Refreshes OAuth tokens in time. Of all processes one does it, under a lock of the tokens' row. */
export class TokenRefresher {
  readonly #options: TokenRefresherOptions;
  readonly #running = new Map<string, Promise<Refreshed>>();

  constructor(options: TokenRefresherOptions) {
    this.#options = options;
  }

  /** For somebody who uses the connection. Never throws. */
  refresh(connectionId: string, version: number): Promise<Refreshed> {
    return this.#once('due', connectionId, version);
  }

  /** The provider refused credentials of this version: other tokens are tried, once for each version. Never throws. */
  rescue(connectionId: string, version: number): Promise<Refreshed> {
    return this.#once('refused', connectionId, version);
  }

  /** Refreshes what is due, whoever uses it. */
  async refreshDue(): Promise<void> {
    const ids = await this.#options.store.dueTokens(MOST_AT_ONCE);
    await Promise.all(ids.map((id) => this.#once('due', id, undefined)));
  }

  #once(why: Why, connectionId: string, version: number | undefined): Promise<Refreshed> {
    const key = `${why} ${version ?? ''} ${connectionId}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#locked(why, connectionId, version)
        .catch((error: Error): Refreshed => {
          this.#options.logger.warn({ err: error, connectionId }, 'OAuth tokens could not be refreshed');
          return 'failed';
        })
        .finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #locked(why: Why, connectionId: string, version: number | undefined): Promise<Refreshed> {
    // Housekeeping need not wait for those who use the connection.
    const skip = version === undefined;
    const refreshed = await this.#options.store.withTokens(connectionId, { skip }, (state) => {
      if (version !== undefined && state.row.version !== version)
        return Promise.resolve<Refreshed>('renewed');
      return this.#isDue(why, state) ? this.#request(why, state) : Promise.resolve<Refreshed>('not-due');
    });
    return refreshed ?? 'not-due';
  }

  /** After a failure, others wait as long as the one that met it. */
  #isDue(why: Why, { refreshInMs, row, rescuedVersion }: TokenState): boolean {
    if (refreshInMs === null) return false;
    return why === 'refused' ? rescuedVersion !== row.version : refreshInMs <= 0;
  }

  async #request(why: Why, state: TokenState): Promise<Refreshed> {
    const { registry, vault } = this.#options;
    const { row } = state;
    const provider = registry.provider(row.type, row.provider);
    // Another process has the plugin.
    if (provider?.oauth === undefined) return 'not-due';
    const credentials = unseal(vault, row.id, row.sealed ?? '');
    try {
      await this.#renew(why, state, { provider, oauth: provider.oauth, credentials });
      return 'renewed';
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return this.#failed(state, error);
    }
  }

  async #renew(
    why: Why,
    state: TokenState,
    { provider, oauth, credentials }: { provider: Provider; oauth: OAuth; credentials: JsonObject },
  ): Promise<void> {
    const { fetch, vault } = this.#options;
    const tokens = await requestTokens(fetch, endpointOf(oauth.tokenUrl, credentials), {
      grant_type: 'refresh_token',
      refresh_token: String(credentials['refreshToken']),
      ...clientOf(credentials),
    });
    await state.change((row) => {
      // Whatever was changed meanwhile stays; the tokens are newer.
      const next = withTokens(unseal(vault, row.id, row.sealed ?? ''), tokens, oauth);
      return {
        credentials: sealCredentials(vault, row.id, next, provider.credentials),
        tokens: { ...tokenTimes(lifeOf(tokens, oauth), true), rescue: why === 'refused' },
      };
    });
  }

  async #failed(state: TokenState, { code, message, isFinal }: TokenError): Promise<Refreshed> {
    const { version, id } = state.row;
    const block = async (blocked: BlockReason): Promise<Refreshed> => {
      await state.change((row) => (row.version === version ? { blocked } : {}));
      return 'revoked';
    };
    if (code === 'invalid_grant') return block(REVOKED);
    if (isFinal && state.expiresInMs <= 0) return block({ code: 'token_refused', message });
    const inMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(state.failures, 10));
    await state.postpone(inMs);
    this.#options.logger.warn({ connectionId: id, code, retryInMs: inMs }, message);
    return 'failed';
  }
}

/** Who asks: public clients have no secret (RFC 6749, section 2.3.1). */
export const clientOf = (credentials: JsonObject): Readonly<Record<string, string | undefined>> => {
  const { clientId, clientSecret } = credentials;
  return {
    client_id: typeof clientId === 'string' ? clientId : undefined,
    client_secret: typeof clientSecret === 'string' ? clientSecret : undefined,
  };
};
