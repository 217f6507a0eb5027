import type { Socket } from 'node:net';
import { HttpProblem, problemBody } from './problem.ts';

/** Answers bytes that are no HTTP request; there is no Fastify request for them. */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(rawAnswer(detailOf(error.code)));
  socket.destroySoon();
}

function detailOf(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'The headers are too long: Node takes 16 kB of them.';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'The headers did not arrive in time.';
  return 'This is not a valid HTTP/1.1 request.';
}

function rawAnswer(detail: string): string {
  const body = JSON.stringify(problemBody(new HttpProblem('malformed_request', detail), 'none'));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
