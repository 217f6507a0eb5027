import { createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSigner, publicKeyOf } from '../src/sign.ts';
import { type Received, type Receiver, receiver } from './helpers/receiver.ts';
import { openSender } from './helpers/session.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEXT = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
/** The first test vector of RFC 8032, section 7.1. */
const ED25519 = `whsk_${Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString('base64')}`;
const ED25519_PUBLIC = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');

let hook: Receiver;
let status = 200;

beforeAll(async () => {
  hook = await receiver((_request, response) => void response.writeHead(status).end());
});
beforeEach(() => {
  status = 200;
  hook.received.length = 0;
});
afterAll(() => hook.close());

const headersOf = ({ headers }: Received) => headers as Record<string, string>;

describe('a signed call', () => {
  it.each([
    ['JSON', { body: { name: 'Ünï 🚀', n: 1 } }],
    ['text', { body: 'plain ünï text' }],
    ['a lone surrogate', { body: { broken: '\ud800' } }],
    ['no body', {}],
    ['GET', { method: 'GET' }],
  ])('is verified by the standardwebhooks package: %s', async (_name, payload) => {
    const sender = await openSender({ signingSecret: SECRET });
    await sender.send({ url: hook.url, ...payload });
    await sender.close();
    const [request] = hook.received as [Received];
    expect(() =>
      new Webhook(SECRET).verify(request.body, headersOf(request), { jsonParse: false }),
    ).not.toThrow();
    const forged = `${request.body} `;
    expect(() => new Webhook(SECRET).verify(forged, headersOf(request), { jsonParse: false })).toThrow(
      'No matching signature',
    );
  });

  it('takes a secret without the prefix as the key itself', async () => {
    const sender = await openSender({ signingSecret: 'just a pass phrase' });
    await sender.send({ url: hook.url, body: { a: 1 } });
    await sender.close();
    const [request] = hook.received as [Received];
    const verifier = new Webhook('just a pass phrase', { format: 'raw' });
    expect(verifier.verify(request.body, headersOf(request))).toEqual({ a: 1 });
  });

  it('keeps its id over attempts, and is signed anew', async () => {
    const sender = await openSender({ signingSecret: SECRET });
    status = 503;
    await sender.send({ url: hook.url, body: 1 }, { id: 'batch.3', attempt: 1 });
    status = 200;
    await sender.send({ url: hook.url, body: 1 }, { id: 'batch.3', attempt: 2 });
    await sender.close();
    expect(hook.received.map((request) => request.headers['webhook-id'])).toEqual(['batch.3', 'batch.3']);
    for (const request of hook.received) {
      expect(() => new Webhook(SECRET).verify(request.body, headersOf(request))).not.toThrow();
    }
  });

  it('carries two signatures while its secret is being changed: each receiver may know either', async () => {
    const sender = await openSender({ signingSecret: NEXT, previousSigningSecret: SECRET });
    await sender.send({ url: hook.url, body: { a: 1 } });
    await sender.close();
    const [request] = hook.received as [Received];
    for (const secret of [SECRET, NEXT])
      expect(new Webhook(secret).verify(request.body, headersOf(request))).toEqual({ a: 1 });
    const another = new Webhook('whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0');
    expect(() => another.verify(request.body, headersOf(request))).toThrow('No matching signature');
  });

  it('is signed by Ed25519 with such a key, also beside an old HMAC', async () => {
    const sender = await openSender({ signingSecret: ED25519, previousSigningSecret: SECRET });
    await sender.send({ url: hook.url, body: { a: 1 } });
    await sender.close();
    const [request] = hook.received as [Received];
    const headers = headersOf(request);
    expect(new Webhook(SECRET).verify(request.body, headers)).toEqual({ a: 1 });
    const [version, signature = ''] = (headers['webhook-signature'] ?? '').split(' ')[0]?.split(',') ?? [];
    expect(version).toBe('v1a');
    const message = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${request.body}`;
    const x = ED25519_PUBLIC.toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const matches = (text: string) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
    expect([matches(message), matches(`${message} `)]).toEqual([true, false]);
  });

  it('is not sent with an old secret alone', async () => {
    await expect(openSender({ previousSigningSecret: SECRET })).rejects.toThrow(
      'previousSigningSecret is given without signingSecret',
    );
  });

  it('has id and time, but no signature, without a secret', async () => {
    const sender = await openSender();
    await sender.send({ url: hook.url, body: {} });
    await sender.close();
    const { headers } = hook.received[0] as Received;
    expect(headers['webhook-id']).toBeDefined();
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(5);
    expect(headers).not.toHaveProperty('webhook-signature');
  });
});

describe('createSigner', () => {
  it('makes the signature of the example in the specification of Standard Webhooks', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(createSigner(SECRET)('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it.each(['', 'whsec_', 'whsec_not base64!'])('refuses the secret %j without repeating it', (secret) => {
    expect(() => createSigner(secret)).toThrow(/^signingSecret (?!.*not base64!)/);
  });
});

describe('an Ed25519 secret', () => {
  it('has the public key of RFC 8032, whether it comes with it or not', () => {
    const expected = `whpk_${ED25519_PUBLIC.toString('base64')}`;
    expect(publicKeyOf(ED25519)).toBe(expected);
    const both = Buffer.concat([Buffer.from(ED25519.slice(5), 'base64'), ED25519_PUBLIC]);
    expect(publicKeyOf(`whsk_${both.toString('base64')}`)).toBe(expected);
  });

  it.each(['whsk_', 'whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsk_not base64!'])(
    'is refused without being repeated: %j',
    (secret) => {
      expect(() => createSigner(secret)).toThrow(/^signingSecret is no Ed25519 key(?!.*(MfKQ|not base64!))/);
    },
  );
});
