import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyRequest, onRequestHookHandler, preParsingHookHandler } from 'fastify';
import { bodyChunks } from './body-chunks.ts';
import { gunzipped } from './gunzip.ts';
import { HttpProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True: the body may come compressed by gzip. */
    takesGzip?: boolean;
  }
}

/** Refuses bodies that are compressed in a way that the route does not take; read as they are, they would only look malformed. */
export const refuseEncodings: onRequestHookHandler = (request, _reply, done) => {
  const encoding = encodingOf(request.raw);
  const takesGzip = request.routeOptions.config.takesGzip === true;
  if (encoding === 'identity' || (takesGzip && encoding === 'gzip')) {
    done();
    return;
  }
  const detail = takesGzip
    ? 'Of all content encodings only gzip is accepted. Compress it by gzip, or send it without content-encoding.'
    : 'Compressed bodies are not accepted here. Send it without content-encoding.';
  done(new HttpProblem('unsupported_media_type', detail));
};

/** The chunks of a body as they were before they were compressed. @throws as {@link bodyChunks} and {@link gunzipped}. */
export function decodedChunks(request: IncomingMessage): AsyncGenerator<Buffer> {
  const chunks = bodyChunks(request);
  return encodingOf(request) === 'gzip' ? gunzipped(chunks) : chunks;
}

/** Unpacks a JSON body before it is parsed; its limit counts what comes out. */
export const unpackJson: preParsingHookHandler = (request, _reply, payload, done) => {
  if (encodingOf(request.raw) !== 'gzip') {
    done(null, payload);
    return;
  }
  done(null, unpacked(request));
};

function unpacked(request: FastifyRequest): Readable {
  let received = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of bodyChunks(request.raw)) {
      received += chunk.length;
      yield chunk;
    }
  }
  const stream = Readable.from(gunzipped(counted()), { objectMode: false });
  // Fastify stops listening when the body is too large; a failure after that must not end the process.
  stream.on('error', () => undefined);
  // Fastify compares it to the content-length.
  return Object.defineProperty(stream, 'receivedEncodedLength', { get: () => received });
}

function encodingOf(request: IncomingMessage): string {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  return encoding === 'x-gzip' ? 'gzip' : encoding;
}
