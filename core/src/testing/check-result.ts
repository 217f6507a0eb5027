import { isResult } from '../engine/runner/results.ts';
import type { JobResult } from '../plugin/index.ts';
import { jsonProblem } from './check-json.ts';

const CODE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const MAX_CODE = 100;
const MAX_REF = 256;
const SCOPES = new Set<unknown>(['connection', 'rateKey', 'endpoint']);

/** Why a value is not a good JobResult; undefined if it is one. Stricter than the engine, which saves what it can. */
export function resultProblem(value: unknown): string | undefined {
  if (!isResult(value)) {
    return `${show(value)} is no JobResult: make results with succeeded(), failed(), retry() and the others`;
  }
  const result = value as JobResult & Record<string, unknown>;
  const about = describe(result);
  if (result['code'] !== undefined) {
    const problem = codeProblem(result['code']);
    if (problem !== undefined) return `${about}: ${problem}`;
  }
  return textProblem(result, about) ?? timeProblem(result, about) ?? dataProblem(result['data'], about);
}

/** Why a code is not a stable, snake_case one. */
export function codeProblem(code: unknown): string | undefined {
  if (typeof code === 'string' && code.length <= MAX_CODE && CODE.test(code)) return undefined;
  return `the code ${show(code)} must be snake_case, such as http_422 or recipient_unknown, at most ${MAX_CODE} characters`;
}

/** A result in a few words. */
export function describe(result: JobResult): string {
  const { code } = result as { code?: unknown };
  return typeof code === 'string' ? `\`${result.status}\` (${code})` : `\`${result.status}\``;
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  const isJson = typeof value === 'string' || (typeof value === 'object' && value !== null);
  const text = isJson ? JSON.stringify(value) : String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function textProblem(result: Record<string, unknown>, about: string): string | undefined {
  const { ref, message, scope } = result as { ref?: unknown; message?: unknown; scope?: unknown };
  if (message !== undefined && typeof message !== 'string') return `${about}: message must be a string`;
  if (scope !== undefined && !SCOPES.has(scope)) {
    return `${about}: scope must be connection, rateKey or endpoint, not ${show(scope)}`;
  }
  if (ref !== undefined && (typeof ref !== 'string' || ref === '' || ref.length > MAX_REF)) {
    return `${about}: ref must be the provider's id, a string of 1 to ${MAX_REF} characters, not ${show(ref)}`;
  }
  return undefined;
}

function timeProblem(result: Record<string, unknown>, about: string): string | undefined {
  for (const field of ['afterMs', 'checkAfterMs']) {
    const value = result[field];
    if (value !== undefined && !(Number.isFinite(value) && (value as number) >= 0)) {
      return `${about}: ${field} must be milliseconds from 0, not ${String(value)}`;
    }
  }
  return undefined;
}

function dataProblem(data: unknown, about: string): string | undefined {
  if (data === undefined) return undefined;
  const isPlain = typeof data === 'object' && data !== null && !Array.isArray(data);
  if (isPlain && jsonProblem(data) === undefined) return undefined;
  return `${about}: data must be a plain JSON object${isPlain ? `, but ${jsonProblem(data)}` : ''}`;
}
