import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cut } from './body-chunks.ts';
import { hasLongUnreadBody, lingering } from './linger.ts';
import { type HttpProblem, problemBody } from './problem.ts';
import { type RequestFacts, toProblem } from './to-problem.ts';

/** Answers every error as `application/problem+json`. */
export function installErrorHandler(app: FastifyInstance, maxBodyBytes: number): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const accepts = request.routeOptions.config.accepts ?? ['application/json'];
    const { bodyLimit } = request.routeOptions;
    return sendError(error, request, reply, { accepts, maxBodyBytes: bodyLimit ?? maxBodyBytes });
  });
}

/** Sends the problem for an error, and logs what nobody expected. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  facts: RequestFacts,
): FastifyReply {
  // A cut body looks like a database that hung up: both are ECONNRESET.
  const problem = request.raw.readableAborted ? cut() : toProblem(error, facts);
  if (problem.status >= 500)
    request.log.error({ err: problem.cause ?? problem, code: problem.code }, 'request failed');
  return sendProblem(problem, request, reply);
}

/** Sends a problem; a client that is still sending its body gets it too. */
export function sendProblem(
  problem: HttpProblem,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.code(problem.status).headers(problem.headers).type('application/problem+json');
  const text = JSON.stringify(problemBody(problem, request.id));
  if (!hasLongUnreadBody(request.raw)) return reply.send(text);
  reply.header('connection', 'close').header('content-length', Buffer.byteLength(text));
  return reply.send(lingering(text, request.raw));
}
