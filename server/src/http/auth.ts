import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DEFAULT_TENANT, type Engine } from '@batchsender/core';
import type { onRequestHookHandler } from 'fastify';
import { HttpProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True: answers without an API key. */
    isPublic?: boolean;
    /** Content types of the body; default JSON. */
    accepts?: readonly string[];
  }
  interface FastifyRequest {
    /** The tenant of the API key. */
    tenantId: string;
  }
}

/** Name of the engine's setting that keeps the hash of a key that was made here. */
const SETTING = 'api_key_hash';

/** The key's SHA-256; the keys are random, so no slow hash is needed. */
export interface ApiKey {
  readonly hash: Buffer;
  /** The key itself if it was made just now: show it once. */
  readonly made?: string;
}

/**
 * The key that requests must bring: the given one, or else the one that was made on the first
 * start, of which only the hash is stored.
 */
export async function apiKey(given: string | undefined, settings: Engine['settings']): Promise<ApiKey> {
  if (given !== undefined) return { hash: sha256(given) };
  const fresh = `bs_${randomBytes(24).toString('base64url')}`;
  const freshHash = sha256(fresh).toString('hex');
  const stored = String((await settings.get(SETTING)) ?? (await settings.setOnce(SETTING, freshHash)));
  const hash = Buffer.from(stored, 'hex');
  return stored === freshHash ? { hash, made: fresh } : { hash };
}

/** Tells whether an `Authorization` header has the key, where no key is made: without one nobody has it. */
export async function keyCheck(
  given: string | undefined,
  settings: Engine['settings'],
): Promise<(header: string | undefined) => boolean> {
  const stored = given === undefined ? await settings.get(SETTING) : sha256(given).toString('hex');
  if (typeof stored !== 'string') return () => false;
  const hash = Buffer.from(stored, 'hex');
  return (header) => isRight(header, { hash });
}

/** The hook that refuses requests without the key, except for public routes. */
export function authenticate(key: ApiKey): onRequestHookHandler {
  return (request, _reply, done) => {
    if (request.routeOptions.config.isPublic === true || isRight(request.headers.authorization, key)) {
      request.tenantId = DEFAULT_TENANT;
      done();
      return;
    }
    done(unauthorized(request.headers.authorization !== undefined));
  };
}

function isRight(header: string | undefined, key: ApiKey): boolean {
  const token = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  return token !== undefined && timingSafeEqual(sha256(token), key.hash);
}

function unauthorized(wasGiven: boolean): HttpProblem {
  const detail = wasGiven
    ? 'The API key is wrong. It was shown at the first start; to set another, start with BATCHSENDER_API_KEY.'
    : 'Send the API key in the header "Authorization: Bearer bs_…".';
  const challenge = wasGiven
    ? 'Bearer realm="batchsender", error="invalid_token"'
    : 'Bearer realm="batchsender"';
  return new HttpProblem('unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
