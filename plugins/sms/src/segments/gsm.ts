// The alphabet of 3GPP TS 23.038, section 6.2.1, and its extension table, section 6.2.1.1:
// https://www.3gpp.org/dynareport/23038.htm
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const EXTENSION = '\f^{}\\[~]|€';

/** Septets that a character takes: one, or two with the escape. */
const SEPTETS: ReadonlyMap<string, 1 | 2> = new Map([
  ...[...BASIC].map((character) => [character, 1] as const),
  ...[...EXTENSION].map((character) => [character, 2] as const),
]);

/** The size of each character in septets; undefined if the alphabet lacks one of them. */
export function septetsOf(text: string): number[] | undefined {
  const sizes: number[] = [];
  for (const character of text) {
    const size = SEPTETS.get(character);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return sizes;
}

/** True if the alphabet of SMS has all characters of the text. */
export function isGsm(text: string): boolean {
  for (const character of text) if (!SEPTETS.has(character)) return false;
  return true;
}
