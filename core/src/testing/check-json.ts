/** What of a value would not survive a round trip through JSON, with its place. */
export function jsonProblem(value: unknown, at = '', parents: readonly object[] = []): string | undefined {
  const place = at || '/';
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${place} is ${value}`;
    case 'object':
      return value === null ? undefined : objectProblem(value, at, parents);
    case 'undefined':
      return `${place} is undefined`;
    default:
      return `${place} is a ${typeof value}`;
  }
}

function objectProblem(value: object, at: string, parents: readonly object[]): string | undefined {
  if (parents.includes(value)) return `${at || '/'} refers back to itself`;
  if (!Array.isArray(value) && !isPlain(value)) return `${at || '/'} is not a plain object`;
  for (const [name, item] of Object.entries(value)) {
    const problem = jsonProblem(item, `${at}/${name}`, [...parents, value]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Judged by shape, not by `instanceof`: the value may come from another copy of a package. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
