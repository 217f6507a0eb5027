import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, it } from 'vitest';
import { segmentsOf } from '../../src/segments/segments.ts';

const gsm = 'a';
const extended = '€';
const emoji = '👍';
const family = '👩‍👩‍👧';

describe('segmentsOf', () => {
  it.each<[string, string, object]>([
    ['nothing', '', { encoding: 'GSM-7', segments: 1, units: 0 }],
    ['160 characters', gsm.repeat(160), { encoding: 'GSM-7', segments: 1, units: 160 }],
    ['161 characters', gsm.repeat(161), { encoding: 'GSM-7', segments: 2, units: 161 }],
    ['two full parts', gsm.repeat(306), { encoding: 'GSM-7', segments: 2, units: 306 }],
    ['one more', gsm.repeat(307), { encoding: 'GSM-7', segments: 3, units: 307 }],
    ['80 characters of the extension table', extended.repeat(80), { segments: 1, units: 160 }],
    ['81 of them', extended.repeat(81), { encoding: 'GSM-7', segments: 2, units: 162 }],
    // 153 is odd: the escape of the 77th does not stand at the end of the first part.
    ['an escape at the end of a part', extended.repeat(153), { segments: 3, units: 306 }],
    ['a line break', 'a\nb\rc', { encoding: 'GSM-7', units: 5 }],
    ['a tab', 'a\tb', { encoding: 'UCS-2', segments: 1 }],
    ['70 characters with a curly quote', `${gsm.repeat(69)}’`, { encoding: 'UCS-2', segments: 1, units: 70 }],
    ['71 of them', `${gsm.repeat(70)}’`, { encoding: 'UCS-2', segments: 2, units: 71 }],
    ['35 emojis', emoji.repeat(35), { encoding: 'UCS-2', segments: 1, units: 70 }],
    ['an emoji at the end of a part', `${'я'.repeat(66)}${emoji}${'я'.repeat(66)}`, { segments: 3 }],
    ['a family at the end of a part', `${'я'.repeat(62)}${family}${'я'.repeat(59)}`, { segments: 2 }],
    ['a family that moves to the next part', `${'я'.repeat(62)}${family}${'я'.repeat(60)}`, { segments: 3 }],
    ['more marks on a letter than a part can hold', `a${'\u0301'.repeat(200)}`, { segments: 3, units: 201 }],
  ])('counts %s', (_name, text, expected) => {
    expect(segmentsOf(text)).toMatchObject(expected);
  });

  it('counts what smart encoding makes of a text', () => {
    const text = `${gsm.repeat(100)}’`;
    expect(segmentsOf(text)).toMatchObject({ encoding: 'UCS-2', segments: 2 });
    expect(segmentsOf(text, { smartEncoding: true })).toMatchObject({ encoding: 'GSM-7', segments: 1 });
  });

  it("agrees with Twilio's calculator on the alphabet of SMS", () => {
    // It takes CR and LF together for something that is not in the alphabet.
    const characters = fc.constantFrom(...'abcXYZ09 @£$ÄöñüàΩΔ{}[]~\\^|€\n');
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 1, maxLength: 700 }), (text) => {
        const { encodingName, segments } = new SegmentedMessage(text);
        expect(segmentsOf(text)).toMatchObject({ encoding: encodingName, segments: segments.length });
      }),
    );
  });

  it("agrees with Twilio's calculator on other letters and emojis", () => {
    const characters = fc.constantFrom('a', 'é', 'я', '中', '’', '…', '👍', '🎉');
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 1, maxLength: 400 }), (text) => {
        const { encodingName, segments } = new SegmentedMessage(text);
        expect(segmentsOf(text)).toMatchObject({ encoding: encodingName, segments: segments.length });
      }),
    );
  });
});
