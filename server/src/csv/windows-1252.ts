// The bytes 0x80 to 0x9f by https://encoding.spec.whatwg.org/index-windows-1252.txt (2018): typographic
// quotes, dashes, the euro sign. The five that stand for nothing keep their number, as there.
const HIGH =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** Decodes bytes of windows-1252. Node 24.21 decodes them as Latin-1 and would lose the euro sign. */
export function windows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (char) => HIGH[char.charCodeAt(0) - 0x80] as string);
}
