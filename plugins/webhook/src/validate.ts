import { headerProblems, type PayloadProblem } from '@batchsender/core/plugin';
import { headerProblem, isHeaderValue, isToken } from './header-rules.ts';
import { methodOf, type WebhookPayload } from './payload.ts';
import { parsePlace } from './target.ts';

/** What the schema cannot say about a payload. Answers every problem, with its place and the remedy. */
export function validate(payload: WebhookPayload): readonly PayloadProblem[] {
  return [
    ...urlProblems(payload),
    ...methodProblems(payload),
    ...headerProblems(payload.headers ?? {}, headerProblem),
    ...authProblems(payload),
    ...bodyCheckProblems(payload),
  ];
}

function* urlProblems({ url }: WebhookPayload): Generator<PayloadProblem> {
  const place = parsePlace(url);
  if (typeof place === 'string') yield { path: '/url', code: 'invalid_url', message: place };
}

function* methodProblems(payload: WebhookPayload): Generator<PayloadProblem> {
  const method = methodOf(payload);
  if (!isToken(method)) {
    yield {
      path: '/method',
      code: 'invalid_method',
      message: 'method is not an HTTP method: use one like POST or PUT',
    };
  } else if (method === 'CONNECT' || method === 'TRACE') {
    yield {
      path: '/method',
      code: 'invalid_method',
      message: `${method} cannot be sent: use another method`,
    };
  }
  if ((method === 'GET' || method === 'HEAD') && payload.body !== undefined) {
    // RFC 9110, section 9.3.1: content in a GET has no meaning, and may end in a rejection.
    yield {
      path: '/body',
      code: 'body_not_allowed',
      message: `${method} takes no body: remove it, or use POST`,
    };
  }
}

function* authProblems({ auth, headers = {} }: WebhookPayload): Generator<PayloadProblem> {
  if (auth === undefined) return;
  if (auth.type === 'bearer' && !/^[\x21-\x7e]+$/.test(auth.token)) {
    yield {
      path: '/auth/token',
      code: 'invalid_auth',
      message: 'token must be visible ASCII without spaces',
    };
  }
  if (auth.type === 'basic' && (auth.username.includes(':') || hasControls(auth.username + auth.password))) {
    // RFC 7617, section 2.
    yield {
      path: '/auth/username',
      code: 'invalid_auth',
      message: 'A user name has no colon, and neither field has control characters',
    };
  }
  if (auth.type === 'apiKey' && auth.in !== 'query') {
    const problem = headerProblem(auth.name, auth.value);
    if (problem !== undefined)
      yield { path: isHeaderValue(auth.value) ? '/auth/name' : '/auth/value', ...problem };
  }
  const name = authHeader(auth);
  if (Object.keys(headers).some((header) => header.toLowerCase() === name)) {
    yield {
      path: '/auth',
      code: 'duplicate_header',
      message: `The header '${name}' is given in headers too: keep one of them`,
    };
  }
}

function authHeader(auth: NonNullable<WebhookPayload['auth']>): string | undefined {
  if (auth.type !== 'apiKey') return 'authorization';
  return auth.in === 'query' ? undefined : auth.name.toLowerCase();
}

function* bodyCheckProblems({ successBody, method }: WebhookPayload): Generator<PayloadProblem> {
  const pointer = successBody?.jsonPointer;
  // RFC 6901, section 3.
  if (pointer !== undefined && !/^(\/([^~]|~[01])*)?$/.test(pointer)) {
    yield {
      path: '/successBody/jsonPointer',
      code: 'invalid_pointer',
      message: 'jsonPointer must be empty or start with a slash, such as /status',
    };
  }
  if (successBody !== undefined && method?.toUpperCase() === 'HEAD') {
    yield {
      path: '/successBody',
      code: 'body_not_allowed',
      message: 'An answer to HEAD has no body to check: remove successBody, or use GET',
    };
  }
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\x00-\x1f\x7f]/.test(text);
}
