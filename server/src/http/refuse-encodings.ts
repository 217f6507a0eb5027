import type { onRequestHookHandler } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Refuses compressed bodies by name; read as they are, they would only look malformed. */
export const refuseEncodings: onRequestHookHandler = (request, _reply, done) => {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') {
    done();
    return;
  }
  done(
    new HttpProblem(
      'unsupported_media_type',
      'Compressed bodies are not accepted. Send it without content-encoding.',
    ),
  );
};
