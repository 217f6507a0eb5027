/** What is wrong with a header, and how to mend it. */
export interface HeaderProblem {
  readonly code: 'invalid_header_name' | 'reserved_header' | 'invalid_header_value';
  readonly message: string;
}

// RFC 9110, section 5.6.2 (token).
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

// RFC 9110, section 5.5. What is beyond Latin-1 has no place in a header, and would lose its high
// byte on the way, which can turn a harmless letter into a line break.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

// Framing and connection headers (RFC 9110, section 7.6.1; RFC 9112, section 6) belong to the
// HTTP client: with them a payload could smuggle a second request into a connection.
const RESERVED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** True for a name or method that HTTP allows. */
export const isToken = (text: string): boolean => TOKEN.test(text);

/** True for a text that may stand in a header. */
export const isHeaderValue = (text: string): boolean => VALUE.test(text);

/** Says what is wrong with a header of a payload; undefined if it may be sent. */
export function headerProblem(name: string, value: string): HeaderProblem | undefined {
  if (!TOKEN.test(name)) {
    return {
      code: 'invalid_header_name',
      message: `'${printable(name)}' is not a header name: use letters, digits and hyphens`,
    };
  }
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || lower.startsWith('webhook-')) {
    return { code: 'reserved_header', message: `The header '${name}' is set by BatchSender: remove it` };
  }
  if (!VALUE.test(value)) {
    return {
      code: 'invalid_header_value',
      message: `The value of the header '${name}' has a line break or another character that headers cannot carry: remove or encode it`,
    };
  }
  return undefined;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
