/** Where a text stops being JSON. */
export interface JsonPosition {
  /** In UTF-16 units, from 0. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

// One token a match. The string part is unrolled, so that long strings do not backtrack.
const STRING = String.raw`"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"`;
const SCALAR = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`;
const TOKEN = new RegExp(String.raw`[ \t\n\r]*(?:([{}[\],:])|(${STRING})|(${SCALAR}))`, 'y');

type Expected = 'value' | 'valueOrEnd' | 'keyOrEnd' | 'key' | 'colon' | 'commaOrEnd' | 'nothing';
type Closer = '}' | ']';

/** What a token does: leads to a state, ends a value, or opens, goes on in or closes a container. */
type Effect = Expected | 'end' | 'open' | 'more' | 'close';

const VALUE: Readonly<Record<string, Effect>> = { string: 'end', scalar: 'end', '{': 'open', '[': 'open' };

/** The effect of each token that may come in a state. */
const EFFECTS: { readonly [state in Expected]: Readonly<Record<string, Effect>> } = {
  value: VALUE,
  valueOrEnd: { ...VALUE, ']': 'close' },
  keyOrEnd: { string: 'colon', '}': 'close' },
  key: { string: 'colon' },
  colon: { ':': 'value' },
  commaOrEnd: { ',': 'more', '}': 'close', ']': 'close' },
  nothing: {},
};

/**
 * Finds the first place where a text is not JSON, since V8's message names it only
 * sometimes, and shows pieces of the text. Undefined if the text is JSON.
 */
export function jsonErrorPosition(text: string): JsonPosition | undefined {
  const token = new RegExp(TOKEN);
  const closers: Closer[] = [];
  let expected: Expected = 'value';
  for (;;) {
    const from = token.lastIndex;
    const match = token.exec(text);
    if (match === null) {
      const rest = from + (/^[ \t\n\r]*/.exec(text.slice(from))?.[0].length ?? 0);
      return expected === 'nothing' && rest >= text.length ? undefined : positionOf(text, rest);
    }
    const next = step(expected, match[1] ?? (match[2] === undefined ? 'scalar' : 'string'), closers);
    if (next === undefined) return positionOf(text, token.lastIndex - match[0].trimStart().length);
    expected = next;
  }
}

/** The state after a token, or undefined if the token must not come here. */
function step(expected: Expected, token: string, closers: Closer[]): Expected | undefined {
  const effect = EFFECTS[expected][token];
  switch (effect) {
    case 'open':
      closers.push(token === '{' ? '}' : ']');
      return token === '{' ? 'keyOrEnd' : 'valueOrEnd';
    case 'more':
      return closers.at(-1) === '}' ? 'key' : 'value';
    case 'close':
      return closers.pop() === token ? afterValue(closers) : undefined;
    case 'end':
      return afterValue(closers);
    default:
      return effect;
  }
}

const afterValue = (closers: readonly Closer[]): Expected =>
  closers.length === 0 ? 'nothing' : 'commaOrEnd';

function positionOf(text: string, offset: number): JsonPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { offset, line: before.split('\n').length, column: offset - lineStart + 1 };
}
