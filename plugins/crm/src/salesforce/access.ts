import { type Blocked, blocked, type JobResult, parseJson, throttled } from '@batchsender/core/plugin';
import { lost } from '../deliver.ts';
import { objectOf, readAnswer, textOf } from '../http-text.ts';
import { resultOfStatus } from '../refused-call.ts';
import { codeOf } from '../vendor-text.ts';
import { loginOf, type SalesforceCredentials } from './credentials.ts';

/** What a request needs to be let in. */
export interface Access {
  readonly accessToken: string;
  readonly instanceUrl: string;
}

/** Lets calls in. */
export interface AccessSource {
  /** A token, or why there is none. */
  get(signal: AbortSignal): Promise<Access | JobResult>;
  /** What it means that Salesforce refused this token. */
  refused(access: Access): JobResult;
}

/** A token that is refused so soon after it was given will not be given better, in milliseconds. */
const FRESH_MS = 60_000;

const NOT_CONNECTED = blocked('not_connected', {
  message: 'There is no access: connect Salesforce by OAuth, or give consumerKey and consumerSecret',
});

/** Uses the connection's own token, or else asks for one by client credentials and keeps it for the session. */
export function accessSource(
  credentials: SalesforceCredentials,
  fetch: typeof globalThis.fetch,
): AccessSource {
  const { accessToken, instanceUrl, consumerKey, consumerSecret } = credentials;
  if (accessToken !== undefined) return givenAccess(accessToken, instanceUrl);
  if (consumerKey === undefined || consumerSecret === undefined)
    return { get: async () => NOT_CONNECTED, refused: () => NOT_CONNECTED };
  let asked: { promise: Promise<Access | JobResult>; atMs: number } | undefined;
  return {
    async get(signal) {
      asked ??= {
        promise: askForToken(credentials, { consumerKey, consumerSecret, fetch, signal }),
        atMs: performance.now(),
      };
      const { promise } = asked;
      const access = await promise;
      // Who was refused asks again next time.
      if ('status' in access && asked?.promise === promise) asked = undefined;
      return access;
    },
    refused() {
      const fresh = asked !== undefined && performance.now() - asked.atMs < FRESH_MS;
      asked = undefined;
      if (fresh)
        return blocked('auth_failed', { message: 'Salesforce refused a token that it had just given' });
      return throttled(1_000, { code: 'token_expired' });
    },
  };
}

function givenAccess(accessToken: string, instanceUrl: string): AccessSource {
  const expired = blocked('token_expired', {
    message: 'Salesforce refused the access token: it has expired or was revoked, so connect again',
  });
  return { get: async () => ({ accessToken, instanceUrl }), refused: () => expired };
}

interface Asking {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

/** https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm */
async function askForToken(
  credentials: SalesforceCredentials,
  { consumerKey, consumerSecret, fetch, signal }: Asking,
): Promise<Access | JobResult> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: consumerKey,
    client_secret: consumerSecret,
  });
  try {
    const url = `${loginOf(credentials)}/services/oauth2/token`;
    const answer = await readAnswer(await fetch(url, { method: 'POST', body, signal }), 100_000);
    const said = objectOf(parseJson(answer.text)) ?? {};
    const [accessToken, instanceUrl] = [textOf(said['access_token']), textOf(said['instance_url'])];
    if (accessToken !== undefined && instanceUrl !== undefined) return { accessToken, instanceUrl };
    return noToken(answer, said['error']);
  } catch (error) {
    // No record was sent with it.
    const { result } = lost(error);
    return result.status === 'retry'
      ? { status: 'retry', code: result.code, message: result.message ?? '' }
      : result;
  }
}

function noToken(answer: Parameters<typeof resultOfStatus>[0], error: unknown): JobResult {
  if (answer.status >= 500 || answer.status === 429) {
    const result = resultOfStatus(answer);
    return result.status === 'retry' ? { ...result, possibleDuplicate: false } : result;
  }
  const refused: Blocked = blocked(codeOf(error, 'auth_failed'), {
    message: 'Salesforce gave no token for consumerKey and consumerSecret: see the app and its run-as user',
  });
  return refused;
}
