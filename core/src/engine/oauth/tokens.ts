import type { JsonObject, OAuth, OAuthTokens } from '../../plugin/index.ts';
import type { BlockReason, TokenTimes } from '../connections/store.ts';

/** Seconds that an access token lives if nobody says: what RFC 6749 shows in its examples. */
const DEFAULT_LIFE_S = 3_600;
const LEAST_AHEAD_MS = 60_000;

/** When a token of this life is refreshed: a fifth of it before its end, at least a minute, at most half of it. */
export function tokenTimes(lifeS: number, hasRefreshToken: boolean): TokenTimes {
  const lifeMs = lifeS * 1_000;
  const aheadMs = Math.min(Math.max(lifeMs / 5, LEAST_AHEAD_MS), lifeMs / 2);
  return { expiresInMs: lifeMs, refreshInMs: hasRefreshToken ? lifeMs - aheadMs : null };
}

/** Seconds that these tokens live. */
export const lifeOf = (
  tokens: Pick<OAuthTokens, 'expires_in'>,
  { expiresIn = DEFAULT_LIFE_S }: OAuth,
): number => (tokens.expires_in !== undefined && tokens.expires_in > 0 ? tokens.expires_in : expiresIn);

/** The times of tokens that somebody gave with the credentials: how old they are is not known. */
export function givenTokenTimes(credentials: JsonObject, oauth: OAuth | undefined): TokenTimes | undefined {
  const { accessToken, refreshToken } = credentials;
  if (oauth === undefined || typeof refreshToken !== 'string') return undefined;
  if (typeof accessToken !== 'string') return { expiresInMs: 0, refreshInMs: 0 };
  return tokenTimes(oauth.expiresIn ?? DEFAULT_LIFE_S, true);
}

/** Credentials after a grant or a refresh. A refresh token that was not replaced stays (RFC 6749, section 6). */
export function withTokens(credentials: JsonObject, tokens: OAuthTokens, oauth: OAuth): JsonObject {
  const { access_token: accessToken, refresh_token: refreshToken } = tokens;
  return {
    ...credentials,
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...oauth.fields?.(tokens),
  };
}

const NOT_AUTHORIZED: BlockReason = {
  code: 'not_authorized',
  message: 'Nobody has granted access yet: call POST /v1/connections/{id}/authorize and open its URL',
};

/**
 * Why credentials cannot be used before a person has granted access; null if they can. Those with another
 * way in, such as a token of the provider's own, have no `clientId`.
 */
export function missingGrant(credentials: JsonObject, oauth: OAuth | undefined): BlockReason | null {
  const { clientId, accessToken, refreshToken } = credentials;
  if (oauth === undefined || clientId === undefined) return null;
  return accessToken === undefined && refreshToken === undefined ? NOT_AUTHORIZED : null;
}
