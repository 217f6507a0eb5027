import { parse } from 'secure-json-parse';
import { booleanOf } from '../coerce.ts';
import { FORBIDDEN_KEY, isForbiddenKey } from '../http/json-body.ts';
import { isTooDeep, TOO_DEEP } from '../http/json-depth.ts';
import type { LineCode } from '../ndjson/line-error.ts';
import { type JsonType, type Schema, typesOf } from './schema-shape.ts';

/** A cell whose JSON may not be taken. */
export class CellError extends Error {
  override readonly name = 'CellError';
  readonly code: LineCode;
  /** JSON pointer of the field. */
  readonly path: string;

  constructor(message: string, options: ErrorOptions & { code: LineCode; path: string }) {
    super(message, options);
    this.code = options.code;
    this.path = options.path;
  }
}

/** Turns a cell that is not empty into a value of its field. @throws CellError. */
export type CellValue = (text: string) => unknown;

const asText: CellValue = (text) => text;

/**
 * How the cells of a field are read. Text stays exactly as it is wherever a string is allowed,
 * unless it is a JSON object or list that the field takes. What does not fit stays text, so that
 * the schema names it. Nothing is rounded. `path` is the field's JSON pointer, for errors.
 */
export function cellValue(schema: Schema, path: string): CellValue {
  const types = typesOf(schema);
  const takesJson = types.has('object') || types.has('array');
  if (types.has('string')) return takesJson ? (text) => containerOf(text, types, path) ?? text : asText;
  return (text) => {
    const bare = text.trim();
    return (
      (types.has('number') || types.has('integer') ? numberOf(bare, types) : undefined) ??
      (types.has('boolean') ? booleanOf(bare) : undefined) ??
      (takesJson ? containerOf(bare, types, path) : undefined) ??
      text
    );
  };
}

function numberOf(text: string, types: ReadonlySet<JsonType>): number | undefined {
  if (!/^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  const isExact = Number.isFinite(value) && (!/^[-+]?\d+$/.test(text) || Number.isSafeInteger(value));
  return isExact && (types.has('number') || Number.isInteger(value)) ? value : undefined;
}

/** The object or list that a text is as JSON; undefined if it is none, or not of these types. */
function containerOf(text: string, types: ReadonlySet<JsonType>, path: string): object | undefined {
  const first = /^\s*([[{])/.exec(text)?.[1];
  if (first === undefined || !types.has(first === '[' ? 'array' : 'object')) return undefined;
  let value: object;
  try {
    value = parse(text);
  } catch (cause) {
    if (isForbiddenKey(cause)) throw new CellError(FORBIDDEN_KEY, { code: 'forbidden_key', path, cause });
    return undefined;
  }
  if (isTooDeep(text)) throw new CellError(TOO_DEEP, { code: 'too_deep', path });
  return value;
}
