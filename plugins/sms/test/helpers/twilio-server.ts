import { randomBytes } from 'node:crypto';
import { type Answer, type HttpServer, httpServer, json, type Seen } from './http-server.ts';

export const ACCOUNT_SID = `AC${'0123456789abcdef'.repeat(2)}`;
export const AUTH_TOKEN = 'token-91f2c7d3';
export const SERVICE_SID = `MG${'fedcba9876543210'.repeat(2)}`;

/** A message that the server took. */
export interface TakenMessage {
  readonly sid: string;
  readonly form: Readonly<Record<string, string>>;
}

/** Plays Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource */
export interface TwilioServer extends HttpServer {
  /** Takes the place of the usual answer, until it is taken away. */
  mood: Answer | undefined;
  /** What was taken, in order. */
  readonly taken: TakenMessage[];
}

export async function twilioServer(login = `${ACCOUNT_SID}:${AUTH_TOKEN}`): Promise<TwilioServer> {
  const taken: TakenMessage[] = [];
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  const answer: Answer = (seen, response) => {
    if (server.mood !== undefined) return server.mood(seen, response);
    if (seen.headers.authorization !== authorization)
      return refusal(401, 20003, 'Authenticate')(seen, response);
    if (!seen.path.startsWith(`/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`)) {
      return refusal(404, 20404, 'The requested resource was not found')(seen, response);
    }
    if (seen.method === 'GET') return json(response, 200, page());
    const message = { sid: `SM${randomBytes(16).toString('hex')}`, form: formOf(seen) };
    taken.push(message);
    return json(response, 201, resource(message));
  };
  const server: TwilioServer = Object.assign(await httpServer(answer), { mood: undefined, taken });
  return server;
}

/** An error in Twilio's form, which quotes the number as Twilio does. */
export function refusal(status: number, code: number, text = 'Refused', headers: object = {}): Answer {
  return (seen, response) => {
    const { To = '', Body = '' } = formOf(seen);
    const body = {
      code,
      message: `${text}: '${To}' ${Body}`,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status,
    };
    json(response, status, body, headers);
  };
}

export const formOf = ({ body }: Pick<Seen, 'body'>): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(body));

function resource({ sid, form }: TakenMessage): object {
  return {
    account_sid: ACCOUNT_SID,
    api_version: '2010-04-01',
    body: form['Body'],
    date_created: 'Sun, 29 Nov 2026 09:00:00 +0000',
    date_sent: null,
    date_updated: 'Sun, 29 Nov 2026 09:00:00 +0000',
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: form['From'] ?? null,
    messaging_service_sid: form['MessagingServiceSid'] ?? null,
    num_media: '0',
    num_segments: '1',
    price: null,
    price_unit: 'USD',
    sid,
    status: 'queued',
    subresource_uris: { media: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${sid}/Media.json` },
    to: form['To'],
    uri: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${sid}.json`,
  };
}

function page(): object {
  const uri = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json?PageSize=1&Page=0`;
  return {
    end: 0,
    first_page_uri: uri,
    next_page_uri: null,
    page: 0,
    page_size: 1,
    previous_page_uri: null,
    start: 0,
    uri,
    messages: [],
  };
}
