/** Deepest nesting of arrays and objects that is taken; deeper ones overflow stacks further on. */
export const MAX_DEPTH = 200;

/** What to say of JSON that is nested too deep. */
export const TOO_DEEP = `Arrays and objects may be nested ${MAX_DEPTH} deep, not more.`;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** True if a text, which must be valid JSON, is nested deeper than {@link MAX_DEPTH}. */
export function isTooDeep(json: string): boolean {
  // Each level takes two characters, so short texts cost nothing.
  if (json.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    // [ and { have equal low bits, and so have ] and }.
    else if ((code & 0xdf) === 0x5b) depth += 1;
    else if ((code & 0xdf) === 0x5d) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}
