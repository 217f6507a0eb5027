import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { coerceRecord } from '../coerce.ts';
import { HttpProblem } from './problem.ts';
import { validationProblems } from './validation-problems.ts';

/**
 * Fastify's validator by TypeBox. Nothing is stripped or filled in. Query parameters and
 * path parameters, which come as text, are typed first; a body is taken as it is.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const isBody = httpPart === 'body';
  const { properties } = schema as { properties?: Record<string, TSchema> };
  return (input: unknown) => {
    const value = isBody ? input : coerceRecord(properties ?? {}, input as Record<string, unknown>);
    if (validator.Check(value)) return { value };
    return {
      error: isBody ? bodyProblem(input, validator.Errors(value)) : queryProblem(validator.Errors(value)),
    };
  };
};

type Errors = Parameters<typeof validationProblems>[0];

function bodyProblem(input: unknown, errors: Errors): HttpProblem {
  if (input === undefined || input === null) {
    return new HttpProblem(
      'invalid_request',
      'This call needs a JSON body, with content-type application/json.',
    );
  }
  const places = validationProblems(errors);
  return new HttpProblem('invalid_request', `The body is not valid: ${summary(places)}`, { errors: places });
}

function queryProblem(errors: Errors): HttpProblem {
  const places = validationProblems(errors);
  return new HttpProblem('invalid_query', `The query is not valid: ${summary(places)}`, { errors: places });
}

function summary(places: ReturnType<typeof validationProblems>): string {
  const first = places[0];
  return first === undefined ? 'it does not fit the schema.' : `${first.path || '/'}: ${first.message}`;
}
