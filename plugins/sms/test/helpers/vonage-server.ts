import { generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { type Answer, type HttpServer, httpServer, json, type Seen } from './http-server.ts';

export const API_KEY = 'abcd1234';
export const API_SECRET = 'secret-77aa51';
export const APPLICATION_ID = '78d335fa-323d-0114-9c3d-d6f0d48968cf';

const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
export const PRIVATE_KEY = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A message that the server took. */
export interface TakenMessage {
  readonly id: string;
  readonly request: Readonly<Record<string, string>>;
}

/** Plays Vonage's Messages API: https://developer.vonage.com/en/api/messages */
export interface VonageServer extends HttpServer {
  /** Takes the place of the usual answer, until it is taken away. */
  mood: Answer | undefined;
  /** What was taken, in order. */
  readonly taken: TakenMessage[];
}

export async function vonageServer(): Promise<VonageServer> {
  const taken: TakenMessage[] = [];
  const answer: Answer = (seen, response) => {
    if (server.mood !== undefined) return server.mood(seen, response);
    if (!isKnown(seen.headers.authorization)) return unauthorized(seen, response);
    if (seen.path !== '/v1/messages') return json(response, 404, { title: 'Not found' });
    const request = bodyOf(seen);
    const missing = ['channel', 'message_type', 'to', 'from', 'text'].filter((name) => !(name in request));
    if (missing.length > 0) return refusal(422, 1010, 'Missing params')(seen, response);
    const message = { id: randomUUID(), request };
    taken.push(message);
    return json(response, 202, { message_uuid: message.id });
  };
  const server: VonageServer = Object.assign(await httpServer(answer), { mood: undefined, taken });
  return server;
}

/** An error in Vonage's form (RFC 7807), which quotes the message. */
export function refusal(status: number, code: number, title = 'Refused', headers: object = {}): Answer {
  return (seen, response) => {
    const { to = '', text = '' } = bodyOf(seen);
    const type = `https://developer.vonage.com/api-errors/messages#${code}`;
    json(response, status, { type, title, detail: `${to} ${text}`, instance: 'bf0ca0bf927b3b52' }, headers);
  };
}

export const unauthorized: Answer = (_seen, response) =>
  json(response, 401, {
    type: 'https://developer.vonage.com/api-errors/#unauthorized',
    title: 'You did not provide correct credentials.',
    detail: "Check that you're using the correct credentials, and that your account has this feature enabled",
    instance: 'bf0ca0bf927b3b52',
  });

export const bodyOf = ({ body }: Pick<Seen, 'body'>): Record<string, string> =>
  JSON.parse(body) as Record<string, string>;

/** The claims of a token that the application's key has signed. */
export function claimsOf(authorization: string | undefined): Record<string, unknown> | undefined {
  const [header = '', content = '', signature = ''] = (authorization ?? '')
    .replace(/^Bearer /, '')
    .split('.');
  const genuine = verify(
    'sha256',
    Buffer.from(`${header}.${content}`),
    keys.publicKey,
    Buffer.from(signature, 'base64url'),
  );
  return genuine
    ? (JSON.parse(Buffer.from(content, 'base64url').toString()) as Record<string, unknown>)
    : undefined;
}

const known = new Map<string | undefined, Record<string, unknown>>();

function isKnown(authorization: string | undefined): boolean {
  const basic = `Basic ${Buffer.from(`${API_KEY}:${API_SECRET}`).toString('base64')}`;
  if (authorization === basic) return true;
  // To check a signature costs more than to take a message.
  const claims = known.get(authorization) ?? claimsOf(authorization);
  if (claims !== undefined) known.set(authorization, claims);
  return claims?.['application_id'] === APPLICATION_ID && Number(claims['exp']) > Date.now() / 1_000;
}
