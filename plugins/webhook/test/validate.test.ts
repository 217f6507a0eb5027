import { describe, expect, it } from 'vitest';
import type { WebhookPayload } from '../src/payload.ts';
import { validate } from '../src/validate.ts';

const url = 'https://example.com/hook';
const problems = (payload: Partial<WebhookPayload>) =>
  validate({ url, ...payload }).map(({ path, code }) => `${path} ${code}`);

describe('validate', () => {
  it.each<Partial<WebhookPayload>>([
    {},
    { url: 'http://127.0.0.1:8080/a?b=c' },
    { method: 'get' },
    { method: 'M-SEARCH', body: 'x' },
    { headers: { 'X-Own': 'välue\tx', Accept: '*/*', authorization: 'Own scheme' } },
    { auth: { type: 'bearer', token: 'a.b-c_d~e+f/g=' } },
    { auth: { type: 'basic', username: 'ada', password: 'with:colon and spaces' } },
    { auth: { type: 'apiKey', name: 'any name', value: 'any\nvalue', in: 'query' } },
    { successBody: { jsonPointer: '' } },
    { successBody: { jsonPointer: '/a~1b/~0/0', equals: null } },
    { method: 'GET', successBody: { contains: 'x' } },
  ])('has nothing against %j', (payload) => {
    expect(problems(payload)).toEqual([]);
  });

  it.each([
    '',
    'example.com/hook',
    '/hook',
    'ftp://example.com',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://',
    'https://user:pw@example.com',
    'https://user@example.com',
    'http://exa mple.com',
  ])('refuses the URL %j', (wrong) => {
    expect(problems({ url: wrong })).toEqual(['/url invalid_url']);
  });

  it('says what to do about a password in the URL', () => {
    expect(validate({ url: 'https://a:b@example.com' })[0]?.message).toContain('use auth of type basic');
  });

  it.each(['CONNECT', 'trace', 'GET /', 'PO\r\nST', 'É'])('refuses the method %j', (method) => {
    expect(problems({ method })).toEqual(['/method invalid_method']);
  });

  it('refuses a body with GET and HEAD', () => {
    expect(problems({ method: 'GET', body: {} })).toEqual(['/body body_not_allowed']);
    expect(problems({ method: 'head', body: '' })).toEqual(['/body body_not_allowed']);
    expect(problems({ method: 'HEAD', successBody: { contains: 'x' } })).toEqual([
      '/successBody body_not_allowed',
    ]);
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'connection',
    'Keep-Alive',
    'Upgrade',
    'TE',
    'Trailer',
    'Expect',
    'proxy-authorization',
    'webhook-id',
    'Webhook-Timestamp',
    'webhook-signature',
  ])('refuses the header %s, which is not the payload’s to set', (name) => {
    expect(problems({ headers: { [name]: 'x' } })).toEqual([`/headers/${name} reserved_header`]);
    expect(problems({ auth: { type: 'apiKey', name, value: 'x' } })).toEqual(['/auth/name reserved_header']);
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\0b', '\x7f', 'č', '日本', '\u{1F680}'])(
    'refuses the header value %j',
    (value) => {
      expect(problems({ headers: { 'x-a': value } })).toEqual(['/headers/x-a invalid_header_value']);
      expect(problems({ auth: { type: 'apiKey', name: 'x-a', value } })).toEqual([
        '/auth/value invalid_header_value',
      ]);
    },
  );

  it.each([
    ['', '/headers/'],
    ['a b', '/headers/a b'],
    ['a:b', '/headers/a:b'],
    ['a\r\nb', '/headers/a\r\nb'],
    ['a/b~', '/headers/a~1b~0'],
    ['ä', '/headers/ä'],
  ])('refuses the header name %j', (name, path) => {
    expect(problems({ headers: { [name]: 'x' } })).toEqual([`${path} invalid_header_name`]);
  });

  it('refuses a header that is given twice', () => {
    expect(problems({ headers: { 'X-A': '1', 'x-a': '2' } })).toEqual(['/headers/x-a duplicate_header']);
    const bearer = { type: 'bearer', token: 't' } as const;
    expect(problems({ headers: { Authorization: 'x' }, auth: bearer })).toEqual(['/auth duplicate_header']);
    expect(
      problems({ headers: { 'x-key': 'x' }, auth: { type: 'apiKey', name: 'X-Key', value: 'y' } }),
    ).toEqual(['/auth duplicate_header']);
  });

  it('refuses credentials that cannot be sent, without repeating them', () => {
    const found = validate({ url, auth: { type: 'bearer', token: 'two words' } });
    expect(found).toMatchObject([{ path: '/auth/token', code: 'invalid_auth' }]);
    expect(JSON.stringify(found)).not.toContain('two words');
    expect(problems({ auth: { type: 'bearer', token: '' } })).toEqual(['/auth/token invalid_auth']);
    expect(problems({ auth: { type: 'basic', username: 'a:b', password: '' } })).toEqual([
      '/auth/username invalid_auth',
    ]);
  });

  it.each(['status', '/a~2', '#/a'])('refuses the JSON pointer %j', (jsonPointer) => {
    expect(problems({ successBody: { jsonPointer } })).toEqual(['/successBody/jsonPointer invalid_pointer']);
  });

  it('reports every problem at once', () => {
    expect(problems({ url: 'x', method: 'TRACE', headers: { host: 'x' } })).toEqual([
      '/url invalid_url',
      '/method invalid_method',
      '/headers/host reserved_header',
    ]);
  });
});
