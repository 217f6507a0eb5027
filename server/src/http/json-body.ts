import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parse } from 'secure-json-parse';
import { noteBody } from './idempotency.ts';
import { isTooDeep, TOO_DEEP } from './json-depth.ts';
import { jsonErrorPosition } from './json-position.ts';
import { HttpProblem } from './problem.ts';

/** Installs the parser of JSON bodies: strict UTF-8, no `__proto__`, errors with their place. */
export function installJsonBody(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body, done) => {
      noteBody(request, body as Buffer);
      try {
        done(null, parseJsonBody(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** Parses a JSON body; undefined if it is empty. @throws HttpProblem `malformed_json`, `forbidden_key`, `invalid_request`. */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new HttpProblem('malformed_json', 'The body is not valid UTF-8.');
  const text = body.toString();
  const value = parseText(text);
  if (isTooDeep(text)) throw new HttpProblem('invalid_request', TOO_DEEP);
  return value;
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw jsonProblem(text, error);
  }
}

/** What to say of a forbidden key. */
export const FORBIDDEN_KEY = 'The keys "__proto__" and "constructor.prototype" are not allowed.';

/** True for the error by which secure-json-parse refuses `__proto__` and `constructor.prototype`. */
export function isForbiddenKey(error: unknown): boolean {
  return error instanceof SyntaxError && error.message.includes('forbidden prototype property');
}

function jsonProblem(text: string, cause: unknown): HttpProblem {
  if (isForbiddenKey(cause)) {
    return new HttpProblem('forbidden_key', FORBIDDEN_KEY);
  }
  const position = jsonErrorPosition(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  const place = position === undefined ? '' : ` at line ${position.line}, column ${position.column}`;
  return new HttpProblem('malformed_json', `The body is not valid JSON${place}.`);
}
