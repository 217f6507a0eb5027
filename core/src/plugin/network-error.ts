import { scrubText } from './scrub.ts';

/** What is known about a call that ended in an error instead of an answer. */
export interface NetworkFailure {
  /** True if no byte of the request left: to call again cannot make a duplicate. */
  readonly notSent: boolean;
  /** True if another try must end in the same way: a forbidden address, an invalid request. */
  readonly permanent: boolean;
  /** Stable, snake_case, for example `connection_refused`. */
  readonly code: string;
  /** One sentence without credentials, path or query of a URL. */
  readonly message: string;
}

export interface ClassifyNetworkErrorOptions {
  /**
   * What the caller knows about the request: `false` or 0 if none of it was written, `true` or
   * a count if some was. Decides `notSent`. Default: judged by the kind of the error.
   */
  readonly bytesWritten?: boolean | number;
}

/** Code, sentence and whether the error can only come before the request is written. */
type Kind = readonly [code: string, message: string, when?: 'before' | 'never'];

// Codes of libuv and getaddrinfo, of Node (nodejs.org/api/errors.html), of OpenSSL's certificate
// check (nodejs.org/api/tls.html) and of undici (docs/docs/api/Errors.md in its repository).
const KINDS: Readonly<Record<string, Kind>> = {
  ADDRESS_NOT_ALLOWED: ['address_not_allowed', '', 'never'],
  UND_ERR_INVALID_ARG: ['invalid_request', '', 'never'],
  UND_ERR_NOT_SUPPORTED: ['invalid_request', '', 'never'],
  ERR_INVALID_URL: ['invalid_url', 'The URL is not valid', 'never'],
  ENOTFOUND: ['dns_not_found', 'The host name does not exist', 'before'],
  ENODATA: ['dns_not_found', 'The host name has no address', 'before'],
  EAI_AGAIN: ['dns_unavailable', 'The name server did not answer', 'before'],
  ECONNREFUSED: ['connection_refused', 'The connection was refused', 'before'],
  EHOSTUNREACH: ['host_unreachable', 'The host cannot be reached', 'before'],
  EHOSTDOWN: ['host_unreachable', 'The host is down', 'before'],
  ENETUNREACH: ['network_unreachable', 'The network cannot be reached', 'before'],
  ENETDOWN: ['network_unreachable', 'The network is down', 'before'],
  EADDRNOTAVAIL: ['no_local_port', 'No local address or port is free', 'before'],
  EMFILE: ['too_many_open_files', 'This process may not open more sockets: raise its limit', 'before'],
  ENFILE: ['too_many_open_files', 'This machine may not open more sockets: raise its limit', 'before'],
  UND_ERR_CONNECT_TIMEOUT: ['connect_timeout', 'No connection was made in time', 'before'],
  UND_ERR_CLOSED: ['client_closed', 'The client was closed before the call', 'before'],
  CERT_HAS_EXPIRED: ['tls_certificate', "The receiver's certificate has expired", 'before'],
  CERT_NOT_YET_VALID: ['tls_certificate', "The receiver's certificate is not valid yet", 'before'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls_certificate', "The receiver's certificate is self-signed", 'before'],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls_certificate', 'The certificate chain ends in an unknown root', 'before'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls_certificate', 'The certificate chain is incomplete', 'before'],
  UNABLE_TO_GET_ISSUER_CERT: ['tls_certificate', 'The certificate chain is incomplete', 'before'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls_certificate', 'The certificate is of an unknown issuer', 'before'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls_certificate', 'The certificate is for another host name', 'before'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['tls_handshake', 'The receiver does not speak TLS here', 'before'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['tls_handshake', 'The receiver does not speak TLS here', 'before'],
  ERR_TLS_HANDSHAKE_TIMEOUT: ['connect_timeout', 'The TLS handshake took too long', 'before'],
  ECONNRESET: ['connection_reset', 'The connection was reset'],
  EPIPE: ['connection_reset', 'The connection was closed while the request was written'],
  ECONNABORTED: ['connection_reset', 'The connection was aborted'],
  UND_ERR_SOCKET: ['connection_reset', 'The connection was closed before the answer was complete'],
  UND_ERR_DESTROYED: ['connection_reset', 'The client was stopped during the call'],
  ETIMEDOUT: ['timeout', 'The connection timed out'],
  UND_ERR_HEADERS_TIMEOUT: ['headers_timeout', 'No answer came in time'],
  UND_ERR_BODY_TIMEOUT: ['body_timeout', 'The answer stopped half-way'],
  UND_ERR_HEADERS_OVERFLOW: ['invalid_response', 'The headers of the answer are too large'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['invalid_response', 'The answer is shorter or longer than it says'],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: ['response_too_large', 'The answer is larger than allowed'],
  UND_ERR_ABORTED: ['aborted', 'The call was aborted'],
  HTTPParserError: ['invalid_response', 'The answer is not valid HTTP'],
  TimeoutError: ['timeout', 'No answer came within the time allowed'],
  AbortError: ['aborted', 'The call was aborted'],
};

/**
 * Says what an error of a network call means, from undici, `fetch` or `node:http`; causes and
 * aggregates are searched for the first code that is known.
 *
 * Without `bytesWritten` the answer is careful: `notSent` is true only for errors that cannot
 * come later (DNS, refused, unreachable, connect timeout, certificate).
 */
export function classifyNetworkError(
  error: unknown,
  options: ClassifyNetworkErrorOptions = {},
): NetworkFailure {
  const { name, source } = findCode(error);
  const [code, text, when] = kindOf(name, source);
  const { bytesWritten } = options;
  const early = when !== undefined || (source as { notSent?: unknown } | undefined)?.notSent === true;
  return {
    notSent: bytesWritten === undefined ? early : !bytesWritten,
    permanent: when === 'never',
    code,
    message: text === '' ? scrubText(messageOf(source)) : `${text} (${name})`,
  };
}

function kindOf(name: string, source: unknown): Kind {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  // A connect that the system gave up (syscall connect) never carried a byte.
  if (name === 'ETIMEDOUT' && (source as { syscall?: unknown }).syscall === 'connect') {
    return ['connect_timeout', 'No connection was made in time', 'before'];
  }
  if (kind !== undefined) return kind;
  if (name.startsWith('EAI_')) return ['dns_failed', 'The host name could not be looked up', 'before'];
  if (name.startsWith('CERT_'))
    return ['tls_certificate', "The receiver's certificate was refused", 'before'];
  // May come after the request too: TLS 1.3 asks for a client's certificate late.
  if (name.startsWith('ERR_SSL_') || name === 'EPROTO') return ['tls_handshake', 'TLS failed'];
  if (name.startsWith('HPE_')) return ['invalid_response', 'The answer is not valid HTTP'];
  return ['network_error', ''];
}

/** The first error with a code that means something, through causes and aggregates. */
function findCode(error: unknown, depth = 0): { name: string; source: unknown } {
  const found = nameOf(error);
  if (found !== undefined && kindOf(found, error)[0] !== 'network_error')
    return { name: found, source: error };
  if (depth < 5 && typeof error === 'object' && error !== null) {
    const { cause, errors } = error as { cause?: unknown; errors?: unknown };
    for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
      if (inner === undefined) continue;
      const deeper = findCode(inner, depth + 1);
      if (deeper.name !== '') return deeper;
    }
  }
  return { name: '', source: error };
}

function nameOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  // A DOMException's code is a number; its name tells.
  return typeof name === 'string' ? name : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
