import { describe, expect, it } from 'vitest';
import {
  AddressNotAllowedError,
  callError,
  classifyNetworkError,
  isNotSent,
  networkResult,
  notSent,
} from '../../src/plugin/index.ts';

const withCode = (code: string, extra: object = {}) =>
  Object.assign(new Error(`connect ${code} http://user:pw@host.example/path?token=1`), { code, ...extra });

describe('classifyNetworkError', () => {
  it.each([
    ['ENOTFOUND', 'dns_not_found'],
    ['EAI_AGAIN', 'dns_unavailable'],
    ['EAI_FAIL', 'dns_failed'],
    ['ECONNREFUSED', 'connection_refused'],
    ['EHOSTUNREACH', 'host_unreachable'],
    ['ENETUNREACH', 'network_unreachable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
    ['CERT_HAS_EXPIRED', 'tls_certificate'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_certificate'],
    ['CERT_REVOKED', 'tls_certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate'],
  ])('knows that nothing was sent when %s comes', (code, expected) => {
    expect(classifyNetworkError(withCode(code))).toMatchObject({
      notSent: true,
      permanent: false,
      code: expected,
    });
  });

  it.each([
    ['ECONNRESET', 'connection_reset'],
    ['EPIPE', 'connection_reset'],
    ['UND_ERR_SOCKET', 'connection_reset'],
    ['UND_ERR_HEADERS_TIMEOUT', 'headers_timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'body_timeout'],
    ['HPE_INVALID_CONSTANT', 'invalid_response'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'invalid_response'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_handshake'],
    ['ETIMEDOUT', 'timeout'],
    ['EWHATEVER', 'network_error'],
  ])('assumes that %s may have come after the request', (code, expected) => {
    expect(classifyNetworkError(withCode(code))).toMatchObject({ notSent: false, code: expected });
  });

  it('believes the caller who knows whether bytes were written', () => {
    expect(classifyNetworkError(withCode('ECONNRESET'), { bytesWritten: 0 }).notSent).toBe(true);
    expect(classifyNetworkError(withCode('ECONNREFUSED'), { bytesWritten: true }).notSent).toBe(false);
  });

  it('finds the code in the causes of fetch and in aggregates', () => {
    const fetchError = new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') });
    expect(classifyNetworkError(fetchError).code).toBe('connection_refused');
    const aggregate = new AggregateError([withCode('ENETUNREACH'), withCode('ECONNREFUSED')], 'all failed');
    expect(classifyNetworkError(aggregate).code).toBe('network_unreachable');
  });

  it('survives a cause that leads back to itself', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(classifyNetworkError(error).code).toBe('network_error');
  });

  it('tells a connect that timed out from a connection that did', () => {
    expect(classifyNetworkError(withCode('ETIMEDOUT', { syscall: 'connect' }))).toMatchObject({
      notSent: true,
      code: 'connect_timeout',
    });
  });

  it('knows the errors of AbortSignal', () => {
    expect(classifyNetworkError(AbortSignal.abort().reason).code).toBe('aborted');
    expect(classifyNetworkError(new DOMException('late', 'TimeoutError')).code).toBe('timeout');
  });

  it('keeps credentials, paths and queries out of the message', () => {
    for (const code of ['ECONNREFUSED', 'EWHATEVER']) {
      const { message } = classifyNetworkError(withCode(code));
      expect(message).not.toMatch(/user|pw|path|token/);
    }
  });

  it.each([undefined, null, 'text', 7, {}])('copes with %j', (thrown) => {
    expect(classifyNetworkError(thrown)).toMatchObject({ notSent: false, code: 'network_error' });
  });
});

describe('networkResult', () => {
  const atLeastOnce = { kind: 'at-least-once' } as const;
  const atMostOnce = { kind: 'at-most-once' } as const;

  it('retries under every guarantee when nothing was sent', () => {
    const failure = classifyNetworkError(withCode('ECONNREFUSED'));
    for (const guarantee of [atLeastOnce, atMostOnce]) {
      const result = networkResult(failure, guarantee);
      expect(result).toMatchObject({ status: 'retry', code: 'connection_refused' });
      expect(result).not.toHaveProperty('possibleDuplicate');
    }
  });

  it('flags the repeat of a call that may have been received', () => {
    const failure = classifyNetworkError(withCode('ECONNRESET'));
    expect(networkResult(failure, atLeastOnce)).toMatchObject({ status: 'retry', possibleDuplicate: true });
    expect(networkResult(failure, atMostOnce)).toMatchObject({ status: 'unknown', code: 'connection_reset' });
  });

  it('fails for good where the address is forbidden', () => {
    const failure = classifyNetworkError(new AddressNotAllowedError('10.0.0.1', 'private'));
    expect(networkResult(failure, atLeastOnce)).toMatchObject({
      status: 'failed',
      code: 'address_not_allowed',
      message: expect.stringContaining('BATCHSENDER_ALLOW_NETWORKS'),
    });
  });
});

describe('notSent and callError', () => {
  it('marks an error in a way that another copy of the package can read', () => {
    const error = notSent(withCode('ECONNRESET'));
    expect(error).toMatchObject({ notSent: true, code: 'connection_reset' });
    expect(isNotSent({ notSent: true })).toBe(true);
    expect(isNotSent(new Error('x'))).toBe(false);
  });

  it('keeps the text of an error that is not of the network', () => {
    expect(notSent(new Error('No template of that name'))).toMatchObject({
      code: 'not_sent',
      message: 'No template of that name',
    });
  });

  it('stays marked when it is classified again', () => {
    expect(classifyNetworkError(notSent(new Error('no token'))).notSent).toBe(true);
  });

  it('says of a lost call that it may have been received', () => {
    expect(callError(withCode('ECONNRESET'))).toMatchObject({ notSent: false, code: 'connection_reset' });
    expect(callError(withCode('ENOTFOUND'))).toMatchObject({ notSent: true, code: 'dns_not_found' });
  });
});
