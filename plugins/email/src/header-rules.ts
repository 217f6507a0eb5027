import { hasControls, oneLine } from './address.ts';

/** What is wrong with a header field, and how to mend it. */
export interface HeaderProblem {
  readonly code: 'invalid_header_name' | 'reserved_header' | 'invalid_header_value';
  readonly message: string;
}

// Stricter than RFC 5322, section 2.2, which allows all of printable ASCII: what programs agree on.
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,75}$/;

// RFC 5322, section 2.1.1: a line has at most 998 characters, and only white space can be broken.
const MAX_WORD = 900;

/** Fields that have a place of their own in the payload, or that say how the message was built or travelled. */
const RESERVED = new Set([
  'from',
  'sender',
  'to',
  'cc',
  'bcc',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'return-path',
  'received',
  'received-spf',
  'delivered-to',
  'authentication-results',
  'dkim-signature',
  'domainkey-signature',
]);

const RESERVED_PREFIX = /^(content-|arc-|resent-|x-envelope-)/;

/** Says what is wrong with a header field of a payload; undefined if it may be sent. */
export function headerProblem(name: string, value: string): HeaderProblem | undefined {
  if (!NAME.test(name)) {
    return {
      code: 'invalid_header_name',
      message: `'${printable(name)}' is not a header name: use letters, digits and hyphens`,
    };
  }
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || RESERVED_PREFIX.test(lower)) {
    return {
      code: 'reserved_header',
      message: `The header '${name}' is set by BatchSender: remove it, or use the field of the payload for it`,
    };
  }
  const problem = textProblem(value);
  return problem === undefined
    ? undefined
    : { code: 'invalid_header_value', message: `The value of the header '${name}' ${problem}` };
}

/** Why a text cannot stand in a header. */
function textProblem(value: string): string | undefined {
  if (hasControls(value)) return 'has a line break or another control character: remove it';
  if (
    value.length > MAX_WORD &&
    oneLine(value)
      .split(' ')
      .some((word) => word.length > MAX_WORD)
  ) {
    return `has more than ${MAX_WORD} characters without a space, which no line of a message can hold: shorten it`;
  }
  return undefined;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
