import { isGsm } from './gsm.ts';

/**
 * What is put in place of characters that word processors make and the alphabet of SMS lacks. A selection
 * of those that Twilio replaces: https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
 */
const REPLACEMENTS: readonly (readonly [replacement: string, characters: string])[] = [
  ['"', '«»“”„‟ʺˮ❝❞〝〞'],
  ["'", '‘’‛ʻʼʽʹˈ´ˊ`ˋ❛❜'],
  ['-', '‐–—―•⁃'],
  ['...', '…'],
  ['!!', '‼'],
  [',', '‚、'],
  ['/', '÷⁄∕'],
  ['1/4', '¼'],
  ['1/2', '½'],
  ['3/4', '¾'],
  ['*', '∗⁎'],
  ['<', '‹'],
  ['>', '›'],
  ['^', 'ˆ'],
  ['~', '˜∼'],
  ['|', '∣'],
  // No-break, fixed-width and ideographic spaces, line and paragraph separator.
  [
    ' ',
    '\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
  ],
  // What has no width.
  ['', '\u200b\u200c\u2060\ufeff'],
];

const BY_CHARACTER: ReadonlyMap<string, string> = new Map(
  REPLACEMENTS.flatMap(([replacement, characters]) =>
    [...characters].map((character) => [character, replacement] as const),
  ),
);

/** Full-width forms of ASCII, and how far they are from it (Unicode, block FF00). */
const FULL_WIDTH = /[\uff01-\uff5e]/;
const FULL_WIDTH_OFFSET = 0xfee0;

/**
 * Replaces typographic characters by those of the SMS alphabet. A text that would need UCS-2 all the same,
 * for an emoji say, is left as it is: nothing would be gained.
 *
 * @example
 * smartQuotes('“It’s here” – now…'); // '"It\'s here" - now...'
 */
export function smartQuotes(text: string): string {
  if (isGsm(text)) return text;
  let plain = '';
  for (const character of text) plain += BY_CHARACTER.get(character) ?? narrow(character);
  return isGsm(plain) ? plain : text;
}

function narrow(character: string): string {
  if (!FULL_WIDTH.test(character)) return character;
  return String.fromCharCode(character.charCodeAt(0) - FULL_WIDTH_OFFSET);
}
