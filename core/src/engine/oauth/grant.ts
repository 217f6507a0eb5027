import { createHash, randomBytes } from 'node:crypto';
import type { JsonObject, OAuth, Provider } from '../../plugin/index.ts';
import type { AuthorizationAnswer, AuthorizationEnd } from '../connections/api.ts';
import { withDefaults } from '../connections/credentials.ts';
import { unseal } from '../connections/opened.ts';
import { sealCredentials } from '../connections/seal.ts';
import type { ConnectionRow, ConnectionStore, GrantRequest } from '../connections/store.ts';
import { BatchSenderError, InvalidInputError } from '../errors.ts';
import { valueProblems } from '../intake/payload-check.ts';
import type { Registry } from '../registry.ts';
import type { Vault } from '../vault/vault.ts';
import { endpointOf, requestTokens, TokenError } from './token-endpoint.ts';
import { clientOf } from './token-refresher.ts';
import { lifeOf, tokenTimes, withTokens } from './tokens.ts';

export interface GrantEnv {
  readonly store: ConnectionStore;
  readonly registry: Registry;
  readonly vault: Vault;
  /** Without a `/` at its end; undefined if the host has none. */
  readonly publicUrl: string | undefined;
  /** Obeys the network policy. */
  readonly fetch: typeof globalThis.fetch;
}

/** A person has this long to grant access. */
const REQUEST_TTL_MS = 600_000;

/** Begins a grant: answers the URL that a person opens (RFC 6749, section 4.1.1, with PKCE, RFC 7636). */
export async function beginGrant(env: GrantEnv, row: ConnectionRow, returnUrl?: string): Promise<string> {
  const { oauth } = providerOf(env, row);
  const redirectUri = redirectUriOf(env);
  if (returnUrl !== undefined) checkReturnUrl(returnUrl);
  const credentials = unseal(env.vault, row.id, row.sealed ?? '');
  const state = randomBytes(32).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const request = { connectionId: row.id, verifier: env.vault.seal(verifier, sealedFor(row.id)), returnUrl };
  await env.store.addGrantRequest(sha256(state), request, REQUEST_TTL_MS);
  const url = new URL(endpointOf(oauth.authorizationUrl, credentials));
  const parameters = {
    ...oauth.parameters,
    response_type: 'code',
    client_id: String(credentials['clientId'] ?? ''),
    redirect_uri: redirectUri,
    ...(oauth.scopes.length === 0 ? {} : { scope: oauth.scopes.join(' ') }),
    state,
    code_challenge: sha256(verifier).toString('base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Ends a grant: the code becomes tokens, and the connection works. */
export async function endGrant(env: GrantEnv, answer: AuthorizationAnswer): Promise<AuthorizationEnd> {
  // Taken first: a state is good once, whatever comes of it.
  const request = await env.store.takeGrantRequest(sha256(answer.state));
  if (request === undefined) {
    throw new BatchSenderError(
      'oauth_state_invalid',
      'This grant is not known: it was ended already, or was begun more than 10 minutes ago. Begin it again',
    );
  }
  const { connectionId, returnUrl } = request;
  try {
    await exchange(env, request, answer);
    return { connectionId, returnUrl: returnUrlWith(returnUrl, { connection: connectionId }) };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const { code } = error;
    if (returnUrl === undefined) throw refused(error);
    return { connectionId, returnUrl: returnUrlWith(returnUrl, { connection: connectionId, error: code }) };
  }
}

async function exchange(env: GrantEnv, request: GrantRequest, answer: AuthorizationAnswer): Promise<void> {
  const { store, vault, fetch } = env;
  const { connectionId } = request;
  if (answer.code === undefined) throw refusal(answer.error);
  const loaded = await store.load(connectionId);
  if (loaded?.sealed == null) throw new TokenError('connection_removed', 'The connection was removed', true);
  const { provider, oauth } = providerOf(env, { ...loaded, id: connectionId });
  const credentials = unseal(vault, connectionId, loaded.sealed);
  const tokens = await requestTokens(fetch, endpointOf(oauth.tokenUrl, credentials), {
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: redirectUriOf(env),
    code_verifier: vault.open(request.verifier, sealedFor(connectionId)),
    ...clientOf(credentials),
  });
  await store.change(undefined, connectionId, (row) => {
    const next = withTokens(unseal(vault, row.id, row.sealed ?? ''), tokens, oauth);
    checkGranted(provider, next);
    return {
      credentials: sealCredentials(vault, row.id, next, provider.credentials),
      blocked: null,
      tokens: tokenTimes(lifeOf(tokens, oauth), next['refreshToken'] !== undefined),
    };
  });
}

const refused = (cause: TokenError): BatchSenderError =>
  new BatchSenderError('oauth_refused', cause.message, { cause });

function refusal(error: string | undefined): TokenError {
  const code = error !== undefined && /^[\x21-\x7e]{1,100}$/.test(error) ? error : 'no_code';
  return new TokenError(code, `The provider sent no code, but: ${code}. Nothing was granted`, true);
}

function checkGranted(provider: Provider, credentials: JsonObject): void {
  const [problem] = valueProblems(provider.credentials, withDefaults(provider.credentials, credentials));
  if (problem === undefined) return;
  const message = `The tokens do not fit the credentials of ${provider.title}: ${problem.path} ${problem.message}`;
  throw new TokenError('invalid_tokens', message, true);
}

function providerOf(
  { registry }: GrantEnv,
  { id, type, provider: name }: Pick<ConnectionRow, 'id' | 'type' | 'provider'>,
): { provider: Provider; oauth: OAuth } {
  const provider = registry.provider(type, name);
  if (provider?.oauth !== undefined) return { provider, oauth: provider.oauth };
  throw new BatchSenderError(
    'oauth_unsupported',
    `Provider '${name}' of connection ${id} grants no access by OAuth: set its credentials instead`,
  );
}

function redirectUriOf({ publicUrl }: GrantEnv): string {
  if (publicUrl !== undefined) return `${publicUrl}/v1/oauth/callback`;
  throw new BatchSenderError(
    'public_url_missing',
    'The provider must send the person back, and this server does not know under which URL it is reached: ' +
      'set BATCHSENDER_PUBLIC_URL (embedded: publicUrl)',
  );
}

function checkReturnUrl(returnUrl: string): void {
  const url = URL.parse(returnUrl);
  if ((url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '') return;
  const message = 'must be a URL with http or https, without a user';
  throw new InvalidInputError('invalid_connection', `returnUrl ${message}`, [
    { path: '/returnUrl', code: 'invalid_value', message },
  ]);
}

function returnUrlWith(
  returnUrl: string | undefined,
  parameters: Readonly<Record<string, string>>,
): string | undefined {
  if (returnUrl === undefined) return undefined;
  const url = new URL(returnUrl);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

const sealedFor = (connectionId: string): string => `${connectionId} grant`;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
