import type { JsonValue, OAuthTokens } from '../../plugin/index.ts';

/** A token endpoint gets this long, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** Most bytes of an answer: tokens have some kilobytes. */
const MAX_ANSWER = 1_000_000;

/** The token endpoint gave no tokens. Its message quotes nothing that was sent. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  /** `error` of RFC 6749, section 5.2, or `token_endpoint_failed`. */
  readonly code: string;
  /** True if the endpoint understood the request and refused it: asking again changes nothing. */
  readonly isFinal: boolean;

  constructor(code: string, message: string, isFinal: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.isFinal = isFinal;
  }
}

/** Asks a token endpoint (RFC 6749, sections 4.1.3 and 6). @throws TokenError */
export async function requestTokens(
  fetch: typeof globalThis.fetch,
  url: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<OAuthTokens> {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const { status, text } = await post(fetch, url, new URLSearchParams(given).toString());
  const body = parse(text);
  if (status === 200 && typeof body?.['access_token'] === 'string') return tokensOf(body);
  const { error } = body ?? {};
  // A server error may carry an error code of its own; nothing is decided by it.
  if ((status === 400 || status === 401) && typeof error === 'string' && /^[\x21-\x7e]{1,100}$/.test(error)) {
    throw new TokenError(error, `The token endpoint refused the request: ${error}`, true);
  }
  const what = status === 200 ? 'answered without an access token' : `answered with status ${status}`;
  throw failed(`The token endpoint ${what}`);
}

async function post(
  fetch: typeof globalThis.fetch,
  url: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, text: await textOf(response) };
  } catch (error) {
    const { code } = ((error as Error).cause ?? error) as { code?: unknown };
    const why = typeof code === 'string' ? code : (error as Error).name;
    throw failed(`The token endpoint could not be reached: ${why}`, error);
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    // Leaving the loop ends the transfer.
    if (size > MAX_ANSWER) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const failed = (message: string, cause?: unknown): TokenError =>
  new TokenError('token_endpoint_failed', message, false, { cause });

function parse(text: string): Record<string, JsonValue> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, JsonValue>) : undefined;
  } catch {
    return undefined;
  }
}

/** Some endpoints write their numbers as texts. */
function tokensOf(body: Record<string, JsonValue>): OAuthTokens {
  const { access_token, refresh_token, expires_in, ...more } = body;
  const seconds = Number(expires_in);
  return {
    ...more,
    access_token: String(access_token),
    ...(typeof refresh_token === 'string' && refresh_token !== '' ? { refresh_token } : {}),
    ...(expires_in !== undefined && Number.isFinite(seconds) ? { expires_in: seconds } : {}),
  };
}

/** A URL of the declaration, which may follow from the credentials. */
export const endpointOf = (url: string | ((credentials: never) => string), credentials: object): string =>
  typeof url === 'function' ? url(credentials as never) : url;
