import { encodeBody } from './encode-body.ts';
import { methodOf, type WebhookPayload } from './payload.ts';
import type { Signer } from './sign.ts';
import { type Place, withParameter } from './target.ts';
import { VERSION } from './version.ts';

/** One HTTP request, ready for the connection pool. */
export interface HookRequest {
  readonly place: Place;
  readonly method: string;
  /** Names and values in turn, as undici takes them. */
  readonly headers: string[];
  readonly body: Buffer | undefined;
}

/** What all requests of one call share. */
export interface RequestContext {
  readonly payload: WebhookPayload;
  readonly idempotencyKey: string;
  readonly sign: Signer | undefined;
}

/** What a request of a call is about; a redirect makes another one of it. */
export interface Target {
  readonly place: Place;
  readonly method: string;
  readonly body: Buffer | undefined;
  /** True where a redirect led to another origin, which must not see credentials. */
  readonly foreign: boolean;
}

/** Headers of the payload that tell no secret, so that they may go to another origin. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

const USER_AGENT = `BatchSender-Webhook/${VERSION}`;

/** What the first request of a call is about. */
export function firstTarget(payload: WebhookPayload, place: Place): Target {
  const { auth } = payload;
  const keyed = auth?.type === 'apiKey' && auth.in === 'query';
  return {
    place: keyed ? withParameter(place, auth.name, auth.value) : place,
    method: methodOf(payload),
    body: encodeBody(payload.body),
    foreign: false,
  };
}

/** Writes a request. Its id is the call's and stays the same over attempts; the time is now. */
export function writeRequest(target: Target, context: RequestContext): HookRequest {
  const { body } = target;
  const timestamp = Math.floor(Date.now() / 1_000);
  const headers = ['webhook-id', context.idempotencyKey, 'webhook-timestamp', String(timestamp)];
  if (context.sign !== undefined) {
    headers.push('webhook-signature', context.sign(context.idempotencyKey, timestamp, body));
  }
  addPayloadHeaders(headers, target, context.payload);
  if (!target.foreign) addAuth(headers, context.payload);
  return { place: target.place, method: target.method, headers, body };
}

function addPayloadHeaders(headers: string[], target: Target, payload: WebhookPayload): void {
  let hasType = target.body === undefined;
  let hasAgent = false;
  for (const [name, value] of Object.entries(payload.headers ?? {})) {
    const lower = name.toLowerCase();
    if (!mayPass(lower, target, payload)) continue;
    hasType ||= lower === 'content-type';
    hasAgent ||= lower === 'user-agent';
    headers.push(name, value);
  }
  if (!hasType) {
    const isText = typeof payload.body === 'string';
    headers.push('content-type', isText ? 'text/plain; charset=utf-8' : 'application/json');
  }
  if (!hasAgent) headers.push('user-agent', USER_AGENT);
}

function mayPass(lowerName: string, { foreign, body }: Target, payload: WebhookPayload): boolean {
  if (foreign && !HARMLESS.has(lowerName)) return false;
  // A redirect with 303 leaves the body behind, and with it its type.
  return lowerName !== 'content-type' || body !== undefined || payload.body === undefined;
}

function addAuth(headers: string[], { auth }: WebhookPayload): void {
  if (auth === undefined) return;
  switch (auth.type) {
    case 'bearer':
      headers.push('authorization', `Bearer ${auth.token}`);
      break;
    case 'basic':
      headers.push(
        'authorization',
        `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`,
      );
      break;
    case 'apiKey':
      if (auth.in !== 'query') headers.push(auth.name, auth.value);
  }
}
