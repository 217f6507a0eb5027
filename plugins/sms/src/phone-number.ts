import { phoneLibrary } from './phone-library.ts';

/** A problem with a number, with a stable code. */
export interface NumberProblem {
  readonly field: 'to' | 'country';
  readonly code: string;
  /** What is wrong and how to mend it; without the number. */
  readonly message: string;
}

/** A valid number in E.164 (`+4915123456789`), or what is wrong with it. */
export type ParsedNumber = string | NumberProblem;

let last:
  | { readonly to: string; readonly country: string | undefined; readonly parsed: ParsedNumber }
  | undefined;

/**
 * Reads a number that an SMS can go to: international, or national with a country. Premium numbers are
 * refused: they cost the sender, and no provider delivers to them.
 */
export function parseNumber(to: string, country?: string): ParsedNumber {
  // Validation asks twice in a row for each payload, and parsing is most of its work.
  if (last?.to === to && last.country === country) return last.parsed;
  const parsed = parse(to.trim(), country);
  last = { to, country, parsed };
  return parsed;
}

function parse(to: string, country: string | undefined): ParsedNumber {
  const { isSupportedCountry, parsePhoneNumberFromString } = phoneLibrary();
  if (country !== undefined && !isSupportedCountry(country)) {
    return problem('country', 'unknown_country', 'country is not a code of ISO 3166-1 such as DE or US');
  }
  if (country === undefined && !to.startsWith('+')) {
    const message = 'to is a national number: give it as +4915123456789, or say which country it is in';
    return problem('to', 'country_missing', message);
  }
  const options = { extract: false, ...(country === undefined ? {} : { defaultCountry: country }) };
  const number = parsePhoneNumberFromString(to, options);
  if (number === undefined || number.ext !== undefined || !number.isValid()) {
    return problem('to', 'invalid_number', 'to is not a phone number that exists in its country: correct it');
  }
  if (number.getType() === 'PREMIUM_RATE') {
    return problem('to', 'premium_number', 'to is a premium-rate number, which gets no SMS: use another one');
  }
  return number.number;
}

function problem(field: NumberProblem['field'], code: string, message: string): NumberProblem {
  return { field, code, message };
}
