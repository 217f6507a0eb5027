import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** How much of an unwanted body is read, and how long, before the connection is cut. */
export interface LingerLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

const LINGER: LingerLimits = { maxBytes: 64 * 1024 * 1024, timeoutMs: 5_000 };

/** Bodies up to this size are left to Node, which reads and drops them. */
const SMALL_BYTES = 64 * 1024;

/** True if enough of the body is unread that a cut connection could swallow the answer. */
export function hasLongUnreadBody(request: IncomingMessage): boolean {
  if (request.complete || request.destroyed) return false;
  if (request.headers['transfer-encoding'] !== undefined) return true;
  return Number(request.headers['content-length'] ?? 0) > SMALL_BYTES;
}

/**
 * An answer's body that stays open after its last byte while what the client still sends is
 * read and dropped, up to the limits. Closing at once would reset the connection, and a client
 * in the middle of an upload would lose the answer. Send it with content-length and
 * `connection: close`.
 */
export function lingering(text: string, request: IncomingMessage, limits: LingerLimits = LINGER): Readable {
  async function* answer(): AsyncGenerator<Buffer> {
    yield Buffer.from(text);
    await drained(request, limits);
  }
  return Readable.from(answer(), { objectMode: false });
}

function drained(request: IncomingMessage, limits: LingerLimits): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const finish = (): void => {
      clearTimeout(timer);
      request.off('data', count);
      request.pause();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) finish();
    };
    const timer = setTimeout(finish, limits.timeoutMs);
    request.on('data', count).once('end', finish).once('close', finish).once('error', finish);
    request.resume();
  });
}
