/** Delimiters that are looked for, in the order in which they win a tie. */
const CANDIDATES = [',', ';', '\t', '|'] as const;

const NAMES: Readonly<Record<string, string>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  pipe: '|',
  '\\t': '\t',
};

/**
 * The delimiter that a parameter names: a character, or `comma`, `semicolon`, `tab`, `pipe`.
 * Undefined if it cannot be one.
 */
export function delimiterOf(text: string): string | undefined {
  const named = NAMES[text.toLowerCase()];
  if (named !== undefined) return named;
  return /^[^"\r\n\0\p{Surrogate}]$/u.test(text) && text.length === 1 ? text : undefined;
}

/** The candidate that stands most often in the header outside quotes; a comma if none does. */
export function detectDelimiter(header: string): string {
  const bare = header.replace(/"[^"]*"?/g, '');
  let best: string = CANDIDATES[0];
  let most = 0;
  for (const candidate of CANDIDATES) {
    const count = bare.split(candidate).length - 1;
    if (count > most) {
      best = candidate;
      most = count;
    }
  }
  return best;
}

/** The delimiter of a first line `sep=;`, which Excel writes and reads; undefined for any other line. */
export function separatorLine(line: string): string | undefined {
  return /^"?sep=(.)"?$/i.exec(line)?.[1];
}
