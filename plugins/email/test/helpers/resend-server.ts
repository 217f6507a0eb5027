import { randomUUID } from 'node:crypto';
import { type HttpVendor, httpVendor, type VendorAnswer, type VendorRequest } from './http-vendor.ts';

/** An email as Resend's API takes it. */
export interface ResendMail {
  readonly from: string;
  readonly to: readonly string[] | string;
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
  readonly tags?: readonly { readonly name: string; readonly value: string }[];
  readonly attachments?: readonly unknown[];
}

/** What the server took, by the id that it gave. */
export type Ledger = Map<string, ResendMail>;

/**
 * Plays Resend's API (https://resend.com/docs/api-reference/emails/send-batch-emails and
 * …/errors): keys, idempotency, both ways to send, and validation in both modes.
 */
export interface ResendServer extends HttpVendor {
  readonly ledger: Ledger;
  /** Keys of the requests that came, in order. */
  readonly keys: string[];
  /** Answers before all else; undefined lets the server work. */
  trouble: ((request: VendorRequest) => VendorAnswer | undefined) | undefined;
  /** What is wrong with an email, in Resend's words. */
  refuse: ((mail: ResendMail) => string | undefined) | undefined;
  /** Takes the call and cuts the connection. */
  cutAfterwards: boolean;
}

/** An error in Resend's form. */
export const resendError = (
  status: number,
  name: string,
  message = name,
  headers: Record<string, string> = {},
): VendorAnswer => ({ status, headers, json: { statusCode: status, name, message } });

export async function resendServer(apiKey: string): Promise<ResendServer> {
  const done = new Map<string, { readonly body: string; readonly answer: VendorAnswer }>();
  const state = {
    ledger: new Map() as Ledger,
    keys: [] as string[],
    trouble: undefined as ResendServer['trouble'],
    refuse: undefined as ResendServer['refuse'],
    cutAfterwards: false,
  };
  const vendor = await httpVendor((request) => {
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') state.keys.push(key);
    const trouble = state.trouble?.(request);
    if (trouble !== undefined) return trouble;
    if (request.headers.authorization !== `Bearer ${apiKey}`) {
      return resendError(403, 'invalid_api_key', 'API key is invalid');
    }
    const known = typeof key === 'string' ? done.get(key) : undefined;
    if (known !== undefined) {
      return known.body === request.body ? known.answer : resendError(409, 'invalid_idempotent_request');
    }
    const answer = work(state, request);
    if (typeof key === 'string' && typeof answer === 'object' && answer.status === 200) {
      done.set(key, { body: request.body, answer });
    }
    return state.cutAfterwards ? 'cut' : answer;
  });
  return Object.assign(state, vendor);
}

type State = Pick<ResendServer, 'ledger' | 'refuse'>;

function work(state: State, { method, path, headers, body }: VendorRequest): VendorAnswer {
  if (method === 'GET' && path.startsWith('/domains')) {
    return resendError(401, 'restricted_api_key', 'This API key is restricted to only send emails');
  }
  if (headers['user-agent'] === undefined) return { status: 403, text: 'error code: 1010' };
  if (path === '/emails') return single(state, JSON.parse(body) as ResendMail);
  if (path === '/emails/batch') {
    return batch(state, JSON.parse(body) as ResendMail[], headers['x-batch-validation'] === 'permissive');
  }
  return resendError(404, 'not_found');
}

function single(state: State, mail: ResendMail): VendorAnswer {
  const problem = problemOf(state, mail);
  return problem === undefined
    ? { status: 200, json: { id: take(state, mail) } }
    : resendError(422, 'validation_error', problem);
}

function batch(state: State, mails: readonly ResendMail[], permissive: boolean): VendorAnswer {
  if (mails.length > 100) return resendError(422, 'validation_error', 'Too many emails');
  const problems = mails.map((mail) =>
    mail.attachments === undefined ? problemOf(state, mail) : 'The `attachments` field is not supported',
  );
  const errors = problems.flatMap((message, index) => (message === undefined ? [] : [{ index, message }]));
  const [first] = errors;
  if (first !== undefined && !permissive) return resendError(422, 'validation_error', first.message);
  const data = mails
    .filter((_mail, index) => problems[index] === undefined)
    .map((mail) => ({ id: take(state, mail) }));
  return { status: 200, json: permissive ? { data, errors } : { data } };
}

function problemOf(state: State, mail: ResendMail): string | undefined {
  if (!mail.from) return 'The `from` field is missing.';
  if (mail.to.length === 0) return 'The `to` field is missing.';
  if (mail.html === undefined && mail.text === undefined) return 'Missing `html` or `text` field.';
  const bad = mail.tags?.find(
    ({ name, value }) => !/^[\w-]{1,256}$/.test(name) || !/^[\w-]{1,256}$/.test(value),
  );
  if (bad !== undefined) return 'Tags should only contain ASCII letters, numbers, underscores, or dashes.';
  return state.refuse?.(mail);
}

function take(state: State, mail: ResendMail): string {
  const id = randomUUID();
  state.ledger.set(id, mail);
  return id;
}
