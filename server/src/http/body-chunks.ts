import type { Readable } from 'node:stream';
import { HttpProblem } from './problem.ts';

/** A client that sends nothing for this long has its upload given up. */
const IDLE_MS = 60_000;

/**
 * The chunks of a request's body as they come. Unlike the stream's own iterator it leaves the
 * socket open when the reader stops early, so that the client can still be answered.
 * @throws HttpProblem `upload_cut` if the client went away, `upload_stalled` after `idleMs`.
 */
export async function* bodyChunks(request: Readable, idleMs: number = IDLE_MS): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = request.read() as Buffer | null;
    if (chunk !== null) {
      yield chunk;
      continue;
    }
    if (request.readableEnded) return;
    if (request.destroyed) throw cut();
    await moreToRead(request, idleMs);
  }
}

function moreToRead(request: Readable, idleMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      request.off('readable', more).off('end', more).off('close', more).off('error', fail);
      action();
    };
    const more = (): void => settle(resolve);
    const fail = (): void => settle(() => reject(cut()));
    const timer = setTimeout(() => settle(() => reject(stalled(idleMs))), idleMs);
    request.on('readable', more).on('end', more).on('close', more).on('error', fail);
  });
}

/** The problem of a body whose client went away; nobody reads it, but the log and an idempotency key do. */
export const cut = (): HttpProblem =>
  new HttpProblem('upload_cut', 'The connection was closed before the end of the body. Nothing was stored.');

const stalled = (idleMs: number): HttpProblem =>
  new HttpProblem(
    'upload_stalled',
    `No byte came for ${idleMs / 1_000} s. Nothing was stored; upload again.`,
  );
