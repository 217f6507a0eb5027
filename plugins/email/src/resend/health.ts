import { exchangeJson } from '../http/exchange-json.ts';
import { isFields, textAt } from '../receipts/read.ts';
import type { Api } from './resend-provider.ts';

/**
 * Asks for the list of domains. A key that may only send is refused with `restricted_api_key`, and
 * so is known; https://resend.com/docs/api-reference/errors has both answers.
 */
export async function health(
  { pool, baseUrl, apiKey }: Pick<Api, 'pool' | 'baseUrl' | 'apiKey'>,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  const url = `${baseUrl}/domains?limit=1`;
  const answer = await exchangeJson(pool, { url, headers: { authorization: `Bearer ${apiKey}` }, signal });
  if (answer.status === 'blocked') return { code: answer.code, message: answer.message ?? '' };
  const name = isFields(answer.body) ? textAt(answer.body, 'name') : undefined;
  if (answer.status === 200 || name === 'restricted_api_key') return undefined;
  if ([400, 401, 403].includes(answer.status)) {
    return { code: 'invalid_api_key', message: 'Resend does not know the API key' };
  }
  return { code: `http_${answer.status}`, message: `Resend answered ${answer.status}` };
}
