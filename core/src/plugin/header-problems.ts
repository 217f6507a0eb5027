import type { PayloadProblem } from './contract.ts';
import { escapePointer } from './json-pointer.ts';

/**
 * What is wrong with a payload's `headers`, for a module's `validate`: each header that `check` finds
 * fault with, and names that are there twice, since case makes no difference.
 */
export function* headerProblems(
  headers: Readonly<Record<string, string>>,
  check: (name: string, value: string) => Omit<PayloadProblem, 'path'> | undefined,
): Generator<PayloadProblem> {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const path = `/headers/${escapePointer(name)}`;
    const problem = check(name, value);
    if (problem !== undefined) yield { path, ...problem };
    const lower = name.toLowerCase();
    if (seen.has(lower)) {
      const message = `The header '${lower}' is given twice: keep one of them`;
      yield { path, code: 'duplicate_header', message };
    }
    seen.add(lower);
  }
}
