import { type CallbackRequest, callbackRefused } from '@batchsender/core/plugin';
import { sameSecret } from './same-secret.ts';

/** The header that carries a secret where basic authentication cannot be set. */
const SECRET_HEADER = 'x-batchsender-secret';

/**
 * Checks a callback that is not signed: it must carry a secret, as the password of HTTP basic
 * authentication (RFC 7617, any user name) or in the header `X-BatchSender-Secret`. A secret in
 * the URL is not taken, since URLs are written into the logs of proxies.
 *
 * @param field Name of the field of the credentials, for the message.
 * @throws CallbackRefusedError (401)
 */
export function checkSharedSecret(
  { headers }: Pick<CallbackRequest, 'headers'>,
  secret: string | undefined,
  field: string,
): void {
  if (secret === undefined) {
    throw callbackRefused(401, 'no_secret', `Set ${field} in the connection before receipts are sent to it`);
  }
  const given = headers[SECRET_HEADER] ?? passwordOf(headers['authorization']);
  if (given === undefined) {
    const ways = `HTTP basic authentication, or the header ${SECRET_HEADER}`;
    throw callbackRefused(401, 'missing_secret', `The request carries no secret: use ${ways}`);
  }
  if (!sameSecret(given, secret)) {
    throw callbackRefused(401, 'wrong_secret', `The secret is not the ${field} of the connection`);
  }
}

function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
