import { domainToASCII } from 'node:url';
import type { AddressInput } from './payload.ts';

/** An address that may stand in an envelope and in a header. */
export interface Mailbox {
  /** The domain is in its ASCII form (RFC 5890). */
  readonly address: string;
  /** The ASCII form of the domain. */
  readonly domain: string;
  /** Empty if there is none. */
  readonly name: string;
  /** True if the part before the @ needs a server with SMTPUTF8 (RFC 6531). */
  readonly needsUtf8: boolean;
}

// RFC 5321, section 4.5.3.1: 64 octets before the @; a path has 256 with its angle brackets.
const MAX_LOCAL_BYTES = 64;
const MAX_ADDRESS_BYTES = 254;

// RFC 5322, section 3.2.3 (dot-atom), with the letters, marks, digits and symbols of RFC 6532.
const ATOM = "(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|(?=[^\\x00-\\x9f])[\\p{L}\\p{M}\\p{N}\\p{S}])+";
const DOT_ATOM = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, 'u');

// RFC 5321, section 4.1.2 (Quoted-string), without angle brackets, which end an address in a command.
const QUOTED = /^"(?:[\x20\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]|\\[\x20-\x3b\x3d\x3f-\x7e])+"$/;

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Each address of a mail is read some times in a row, and the sender is the same in all of them. */
const REMEMBERED = 4;
const remembered: { readonly input: string; readonly parsed: Mailbox | string }[] = [];
let oldest = 0;

/** Reads an address. Answers what is wrong with it, and how to mend it, if it cannot be used. */
export function parseAddress(input: AddressInput): Mailbox | string {
  if (typeof input !== 'string') return parse(input);
  const known = remembered.find((one) => one.input === input);
  if (known !== undefined) return known.parsed;
  const parsed = parse(input);
  remembered[oldest] = { input, parsed };
  oldest = (oldest + 1) % REMEMBERED;
  return parsed;
}

function parse(input: AddressInput): Mailbox | string {
  const { address, name = '' } = typeof input === 'string' ? { address: input } : input;
  if (hasControls(name)) return 'the name has a line break or another control character: remove it';
  if (hasControls(address)) return 'an address has no line break or other control character: remove it';
  if (address.trim() !== address) return 'an address has no spaces around it: remove them';
  if (/^[^"]*[<>]/.test(address)) {
    return 'give the name on its own: {"address": "ada@example.com", "name": "Ada"}';
  }
  const at = address.lastIndexOf('@');
  if (at < 1) return 'this is no address: write it like ada@example.com';
  const local = address.slice(0, at).normalize('NFC');
  const problem = localProblem(local);
  if (problem !== undefined) return problem;
  const domain = asciiDomain(address.slice(at + 1));
  if (domain === undefined) return 'what follows the @ is no domain name, such as example.com';
  const whole = `${local}@${domain}`;
  if (Buffer.byteLength(whole) > MAX_ADDRESS_BYTES) {
    return `an address has at most ${MAX_ADDRESS_BYTES} characters (RFC 5321)`;
  }
  return { address: whole, domain, name: oneLine(name), needsUtf8: /[^\x20-\x7e]/.test(local) };
}

/** White space as a header carries it: one space between words. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().toWellFormed();

/** True for a text with characters that no header may have, line breaks first of all. */
export function hasControls(text: string): boolean {
  // U+2028 and U+2029 end a line in some programs, U+0085 in others.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/.test(text);
}

function localProblem(local: string): string | undefined {
  if (Buffer.byteLength(local) > MAX_LOCAL_BYTES) {
    return `before the @ an address has at most ${MAX_LOCAL_BYTES} characters (RFC 5321)`;
  }
  if (DOT_ATOM.test(local) || QUOTED.test(local)) return undefined;
  if (/[,;]/.test(local)) return 'this is more than one address: give a list of them';
  return 'before the @ is a character that needs quotes, or a dot too many. Groups, comments and lists in one string are not taken';
}

/** Domains as most are written: nothing in them is to be translated, or could be a number. */
const PLAIN_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** The ASCII form of a domain name; undefined for what is none, such as an IP address. */
function asciiDomain(domain: string): string | undefined {
  if (PLAIN_DOMAIN.test(domain) && domain.length <= 253 && !domain.includes('xn--')) return domain;
  if (!/^(?:[\p{L}\p{M}\p{N}.-]|\u200c|\u200d)+$/u.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  if (ascii.length > 253 || !labels.every((label) => LABEL.test(label))) return undefined;
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : ascii;
}
