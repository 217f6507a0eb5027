import { septetsOf } from './gsm.ts';
import { smartQuotes } from './smart-quotes.ts';

/** How a text is sent. */
export interface Segments {
  /** `GSM-7`: the alphabet of SMS. `UCS-2`: one character that it lacks makes all of them larger. */
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** Messages that the text takes, and for each of which the provider charges. */
  readonly segments: number;
  /** Size of the text: septets (GSM-7) or code units of 16 bits (UCS-2). */
  readonly units: number;
}

/**
 * Units of a message that stands alone, and of one that is a part. A message has 140 octets (3GPP TS
 * 23.040, section 9.2.3.16); the header of a part takes 6 of them (section 9.2.3.24.1).
 */
const ROOM = {
  'GSM-7': { alone: 160, part: 153 },
  'UCS-2': { alone: 70, part: 67 },
} as const;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Counts the segments of a text as it is sent.
 *
 * @param options `smartEncoding`: count what the payload's option of this name makes of it.
 * @example
 * segmentsOf('Your code is 1234'); // { encoding: 'GSM-7', segments: 1, units: 17 }
 */
export function segmentsOf(text: string, options: { readonly smartEncoding?: boolean } = {}): Segments {
  const sent = options.smartEncoding === true ? smartQuotes(text) : text;
  const septets = septetsOf(sent);
  if (septets !== undefined) return pack('GSM-7', septets, sum(septets));
  const units = sent.length;
  // Finding the graphemes is slow, and not needed for a short text.
  if (units <= ROOM['UCS-2'].alone) return { encoding: 'UCS-2', segments: 1, units };
  return pack('UCS-2', sizesOfGraphemes(sent), units);
}

/** Characters are never cut in two: an escape stays with its character, an emoji with its parts. */
function pack(encoding: Segments['encoding'], sizes: readonly number[], units: number): Segments {
  const { alone, part } = ROOM[encoding];
  if (units <= alone) return { encoding, segments: 1, units };
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) {
      segments++;
      used = 0;
    }
    used += size;
  }
  return { encoding, segments, units };
}

function sizesOfGraphemes(text: string): number[] {
  const sizes: number[] = [];
  for (const { segment } of graphemes.segment(text)) {
    // One that no part can hold is cut between its code points.
    if (segment.length <= ROOM['UCS-2'].part) sizes.push(segment.length);
    else for (const character of segment) sizes.push(character.length);
  }
  return sizes;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
