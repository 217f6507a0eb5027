import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyClaim, IdempotencyStore } from '@batchsender/core';
import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { decodedChunks } from './content-encoding.ts';
import { HttpProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    idempotency: Idempotency | null;
  }
}

/** An answer that was kept. */
type Kept = Extract<Awaited<ReturnType<IdempotencyStore['reserve']>>, { state: 'done' }>;

/** What a request with an `Idempotency-Key` carries along. */
export interface Idempotency {
  readonly key: string;
  /** Takes the method, the address and the bytes of the body. */
  readonly hash: Hash;
  /** The answer of an earlier request; undefined if this one holds the reservation. */
  readonly kept: Kept | undefined;
  /** Gives signs of life while the request holds the reservation. */
  readonly keeping: NodeJS.Timeout | undefined;
  isSettled: boolean;
}

/** Makes the answer of a request whose work is stored, from what `ref` names. */
export type Recover = (request: FastifyRequest, ref: string) => Promise<{ status: number; body: unknown }>;

/** Reads the rest of a repeat's body into the hash. */
export type ReadRest = (request: FastifyRequest) => Promise<void>;

/** What the engine marks as used in the transaction that stores the work; empty without a key. */
export function claimOf(request: FastifyRequest): { idempotency?: IdempotencyClaim } {
  const held = request.idempotency;
  if (held === null || held.kept !== undefined) return {};
  return { idempotency: { key: held.key, bodyHash: held.hash.copy().digest('hex') } };
}

/** How long a repeat waits for the request that holds its key, and how often that one gives signs of life. */
export interface WaitLimits {
  readonly timeoutMs: number;
  readonly pollMs: number;
  readonly keepMs: number;
}

const WAIT: WaitLimits = { timeoutMs: 30_000, pollMs: 50, keepMs: 5_000 };

/**
 * The hooks of a route that obeys `Idempotency-Key` (E13). The key is reserved before the body
 * is read. A repeat waits with its body unread, then must have the same body, and gets the same
 * answer. An error answer gives the key back. `recover` makes the answer anew where the process
 * died between storing the work and keeping its answer; `ref` says what was stored.
 */
export function idempotent(
  store: IdempotencyStore,
  recover: Recover,
  wait: WaitLimits = WAIT,
  readRest: ReadRest = readStream,
): Pick<RouteShorthandOptions, 'onRequest' | 'preValidation' | 'onSend'> {
  return {
    onRequest: (request) => begin(store, request, wait),
    preValidation: (request, reply) => replay(request, reply, recover, readRest),
    onSend: (request, reply, payload) => settle(store, request, reply, payload),
  };
}

/** Adds bytes of the body to the request's hash, if it has an idempotency key. */
export function noteBody(request: FastifyRequest, chunk: Uint8Array): void {
  request.idempotency?.hash.update(chunk);
}

async function begin(store: IdempotencyStore, request: FastifyRequest, wait: WaitLimits): Promise<void> {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new HttpProblem(
      'invalid_idempotency_key',
      'An Idempotency-Key has 1 to 255 visible ASCII characters.',
    );
  }
  const kept = await reserve(store, request, key, wait);
  request.idempotency = {
    key,
    hash: createHash('sha256').update(`${request.method} ${request.url}\n`),
    kept,
    keeping: kept === undefined ? keepReserved(store, request, key, wait.keepMs) : undefined,
    isSettled: false,
  };
}

/** So a key is free again soon after the process that holds it has died. */
function keepReserved(
  store: IdempotencyStore,
  request: FastifyRequest,
  key: string,
  everyMs: number,
): NodeJS.Timeout {
  const keep = () =>
    store
      .keep(request.tenantId, key)
      .catch((error: unknown) => request.log.warn({ err: error }, 'an idempotency key could not be kept'));
  return setInterval(keep, everyMs).unref();
}

async function reserve(
  store: IdempotencyStore,
  request: FastifyRequest,
  key: string,
  wait: WaitLimits,
): Promise<Kept | undefined> {
  const deadline = performance.now() + wait.timeoutMs;
  for (let pauseMs = wait.pollMs; ; pauseMs = Math.min(pauseMs * 1.5, 500)) {
    const reservation = await store.reserve(request.tenantId, key);
    if (reservation.state === 'reserved') return undefined;
    if (reservation.state === 'done') return reservation;
    if (performance.now() + pauseMs > deadline || request.raw.destroyed) {
      throw new HttpProblem(
        'idempotency_in_progress',
        'Wait for the first request to end, then repeat this one.',
        {
          headers: { 'retry-after': '5' },
        },
      );
    }
    await sleep(pauseMs);
  }
}

async function replay(
  request: FastifyRequest,
  reply: FastifyReply,
  recover: Recover,
  readRest: ReadRest,
): Promise<FastifyReply | undefined> {
  const kept = request.idempotency?.kept;
  if (kept === undefined || request.idempotency === null) return undefined;
  await readRest(request);
  if (request.idempotency.hash.digest('hex') !== kept.bodyHash) {
    throw new HttpProblem(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request (another address or another body). Use a new key.',
    );
  }
  const { status, body } = kept.status === null ? await recover(request, kept.ref ?? '') : kept;
  return reply
    .code(status ?? 200)
    .header('idempotency-replayed', 'true')
    .send(body);
}

// An upload arrives as the unread stream; a JSON body has gone through the hash already. The hash
// is of what the body holds: a repeat may compress it, or not.
const readStream: ReadRest = async (request) => {
  if (request.body !== request.raw) return;
  for await (const chunk of decodedChunks(request.raw)) noteBody(request, chunk);
};

async function settle<T>(
  store: IdempotencyStore,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: T,
): Promise<T> {
  const held = request.idempotency;
  if (held === null || held.kept !== undefined || held.isSettled) return payload;
  held.isSettled = true;
  clearInterval(held.keeping);
  try {
    if (reply.statusCode < 400) {
      const body: unknown = JSON.parse(String(payload));
      const bodyHash = held.hash.digest('hex');
      await store.complete(request.tenantId, held.key, { bodyHash, status: reply.statusCode, body });
    } else {
      await store.release(request.tenantId, held.key);
    }
  } catch (error) {
    // The work itself is done or undone; only the note of it is missing, and the key expires.
    request.log.error({ err: error }, 'the idempotency key could not be settled');
  }
  return payload;
}
