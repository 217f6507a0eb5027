import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a vendor's server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (seen: Seen, response: ServerResponse) => unknown;

/** A real server on 127.0.0.1. */
export interface HttpServer {
  readonly url: string;
  /** All requests, in order. */
  readonly seen: Seen[];
  close(): Promise<void>;
}

export async function httpServer(answer: Answer): Promise<HttpServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Cuts the connection without an answer. */
export const cut: Answer = (_seen, response) => response.socket?.destroy();

/** Never answers. */
export const silence: Answer = () => undefined;

/** Success, in a form that no API has. */
export const garbage: Answer = (seen, response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<html>${seen.body}</html>`);
