import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, it } from 'vitest';
import { isGsm } from '../../src/segments/gsm.ts';
import { smartQuotes } from '../../src/segments/smart-quotes.ts';

const TYPOGRAPHIC = '«»“”„‟❝❞〝〞‘’‛ʻʼ´`‐–—―•…‼‚、÷⁄¼½¾∗‹›ˆ˜∣\u00a0\u2003\u202f\u3000\u200b\ufeff！Ａ９？';

describe('smartQuotes', () => {
  it('makes what a word processor wrote fit the alphabet of SMS', () => {
    expect(smartQuotes('“It’s here” – now…')).toBe('"It\'s here" - now...');
    expect(smartQuotes('½\u00a0price\u200b！')).toBe('1/2 price!');
  });

  it.each([...TYPOGRAPHIC])('replaces %j, as Twilio does', (character) => {
    expect(isGsm(character)).toBe(false);
    expect(isGsm(smartQuotes(character))).toBe(true);
    expect(new SegmentedMessage(character, 'auto', true).encodingName).toBe('GSM-7');
  });

  it('replaces small letters of full width too', () => {
    expect(smartQuotes('Ｈｅｌｌｏ')).toBe('Hello');
  });

  it.each(['Grüße, Ångström & Ωmega €5', '', '[a]{b}~c|d\\e^f', "plain 'quotes'"])(
    'leaves %j alone',
    (text) => {
      expect(smartQuotes(text)).toBe(text);
    },
  );

  it.each(['It’s here 👍', '“Привет”', 'naïve – café ő'])(
    'leaves %j alone, which needs UCS-2 all the same',
    (text) => {
      expect(smartQuotes(text)).toBe(text);
    },
  );
});
