import { escapePointer, parsePointer } from '@batchsender/core/plugin';
import type { TLocalizedValidationError } from 'typebox/error';
import type { ProblemPlace } from './problem.ts';

/** Turns TypeBox's errors into places with stable codes. Values are never shown. */
export function validationProblems(errors: readonly TLocalizedValidationError[]): ProblemPlace[] {
  const unions = new Set(
    errors.filter((error) => error.keyword === 'anyOf').map((error) => error.instancePath),
  );
  return errors.filter((error) => !isNoise(error, unions)).flatMap((error) => placesOf(error, errors));
}

// Unknown fields are reported one by one, by the schema `false`, and then together; TypeBox stops
// after some errors, so only the single ones are sure to come. A union reports its members too.
function isNoise(error: TLocalizedValidationError, unions: ReadonlySet<string>): boolean {
  if (error.keyword === 'additionalProperties') return true;
  return error.keyword !== 'anyOf' && /\/anyOf\/\d+/.test(error.schemaPath) && unions.has(error.instancePath);
}

function placesOf(
  error: TLocalizedValidationError,
  all: readonly TLocalizedValidationError[],
): readonly ProblemPlace[] {
  const path = error.instancePath;
  switch (error.keyword) {
    case 'boolean':
      return [
        { path, code: 'unknown_field', message: `There is no field ${JSON.stringify(lastName(path))} here.` },
      ];
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        path: `${path}/${escapePointer(name)}`,
        code: 'missing_field',
        message: `The field ${JSON.stringify(name)} is missing.`,
      }));
    case 'anyOf':
      return [{ path, code: 'invalid_value', message: unionMessage(path, all) }];
    case 'enum':
      return [
        { path, code: 'invalid_value', message: `It must be one of ${list(error.params.allowedValues)}.` },
      ];
    case 'type':
      return [
        {
          path,
          code: 'wrong_type',
          message: `It must be of type ${[error.params.type].flat().join(' or ')}.`,
        },
      ];
    default:
      return [{ path, code: 'invalid_value', message: `It ${error.message}.` }];
  }
}

function unionMessage(path: string, all: readonly TLocalizedValidationError[]): string {
  const constants = all.flatMap((error) =>
    error.keyword === 'const' && error.instancePath === path ? [error.params.allowedValue] : [],
  );
  return constants.length > 0
    ? `It must be one of ${list(constants)}.`
    : 'It fits none of the allowed shapes.';
}

const list = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');

const lastName = (pointer: string): string => parsePointer(pointer).at(-1) ?? '';
