import { REDACTED } from '../../plugin/index.ts';

/** Shorter ones would be found by chance in any text. */
const SHORTEST = 4;

/** Takes secrets out of a text that a provider wrote. */
export type Hide = (text: string) => string;

/** Makes what hides these secrets, also as they stand in JSON and URLs; undefined if there is nothing to hide. */
export function hiding(secrets: readonly string[]): Hide | undefined {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.toWellFormed()),
    ]);
  // The longest first: one may be part of another.
  const texts = [...new Set(forms)].sort((a, b) => b.length - a.length);
  if (texts.length === 0) return undefined;
  return (text) => texts.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
}

/** A copy of a JSON value without secrets in any of its strings. */
export function hideIn<T>(value: T, hide: Hide | undefined): T {
  return hide === undefined ? value : (hideDeep(value, hide) as T);
}

function hideDeep(value: unknown, hide: Hide): unknown {
  if (typeof value === 'string') return hide(value);
  if (Array.isArray(value)) return value.map((item) => hideDeep(item, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, hideDeep(field, hide)]));
}

/** A result without secrets in its message: before it is cut, since half a secret is not found any more. */
export function hideInMessage<R extends object>(result: R, hide: Hide): R {
  const { message } = result as { message?: unknown };
  return typeof message !== 'string' ? result : { ...result, message: hide(message) };
}
