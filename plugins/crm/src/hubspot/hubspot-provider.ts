import { blocked, defineProvider, forAll, type OpenContext } from '@batchsender/core/plugin';
import { deliver } from '../deliver.ts';
import { AT_MOST_ONCE, groupKey, guaranteeBy } from '../guarantee.ts';
import { readAnswer } from '../http-text.ts';
import { CrmPayload } from '../payload.ts';
import { apiOf, HubspotCredentials, hubspotOAuth, ratesOf } from './credentials.ts';
import { judgeCall } from './judge.ts';

/** Most records in a request (https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide). */
const BATCH_SIZE = 100;

const NOT_CONNECTED = blocked('not_connected', {
  message: 'There is no access token: give the token of a private app, or connect HubSpot by OAuth',
});

/** Writes records by HubSpot's batch API, a hundred a request. */
export const hubspot = defineProvider({
  title: 'HubSpot',
  payload: CrmPayload,
  credentials: HubspotCredentials,
  oauth: hubspotOAuth,
  guarantee: guaranteeBy(AT_MOST_ONCE),
  batchSize: BATCH_SIZE,
  concurrency: 10,
  timeoutMs: 60_000,
  rates: ratesOf,
  endpointKey: 'api',
  groupKey,
  async open(credentials, { fetch }) {
    // HubSpot's client takes memory and time: only for those who use it.
    const [{ batchApi }, { sendBatch }] = await Promise.all([import('./client.ts'), import('./send.ts')]);
    return {
      async processBatch(jobs, { signal }) {
        if (credentials.accessToken === undefined) return forAll(jobs, NOT_CONNECTED);
        const api = batchApi(credentials, fetch, signal);
        return deliver([jobs], (some) => sendBatch(api, some));
      },
      health: (signal) => health(credentials, fetch, signal),
    };
  },
});

/** https://developers.hubspot.com/docs/api-reference/account-account-info-v3/guide */
async function health(
  credentials: HubspotCredentials,
  fetch: OpenContext['fetch'],
  signal: AbortSignal,
): Promise<undefined | { code: string; message: string }> {
  const { accessToken } = credentials;
  if (accessToken === undefined) return { code: NOT_CONNECTED.code, message: NOT_CONNECTED.message ?? '' };
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await fetch(`${apiOf(credentials)}/account-info/v3/details`, { headers, signal });
  const { status, headers: answered, text } = await readAnswer(response, 1_000_000);
  if (response.ok) return undefined;
  const result = judgeCall({ status, headers: answered, body: text });
  if (result?.status === 'blocked') return { code: result.code, message: result.message ?? result.code };
  return { code: `http_${status}`, message: `HubSpot answered ${status}` };
}
