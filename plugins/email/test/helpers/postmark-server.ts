import { randomUUID } from 'node:crypto';
import { type HttpVendor, httpVendor, type VendorAnswer, type VendorRequest } from './http-vendor.ts';

/** A message as Postmark's API takes it. */
export interface PostmarkMail {
  readonly From: string;
  readonly To: string;
  readonly Subject: string;
  readonly HtmlBody?: string;
  readonly TextBody?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** An ErrorCode with Postmark's words. */
export interface PostmarkError {
  readonly ErrorCode: number;
  readonly Message: string;
}

/**
 * Plays Postmark's API
 * (https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails): one entry a
 * message, and status 200 although some were refused.
 */
export interface PostmarkServer extends HttpVendor {
  /** What the server took, by the id that it gave. */
  readonly ledger: Map<string, PostmarkMail>;
  trouble: ((request: VendorRequest) => VendorAnswer | undefined) | undefined;
  refuse: ((mail: PostmarkMail) => PostmarkError | undefined) | undefined;
  cutAfterwards: boolean;
}

/** An error for a whole call in Postmark's form. */
export const postmarkError = (status: number, ErrorCode: number, Message = 'No'): VendorAnswer => ({
  status,
  json: { ErrorCode, Message },
});

export async function postmarkServer(serverToken: string): Promise<PostmarkServer> {
  const state = {
    ledger: new Map<string, PostmarkMail>(),
    trouble: undefined as PostmarkServer['trouble'],
    refuse: undefined as PostmarkServer['refuse'],
    cutAfterwards: false,
  };
  const vendor = await httpVendor((request) => {
    const trouble = state.trouble?.(request);
    if (trouble !== undefined) return trouble;
    if (request.headers['x-postmark-server-token'] !== serverToken) {
      return postmarkError(401, 10, 'Request does not contain a valid Server token.');
    }
    const answer = work(state, request);
    return state.cutAfterwards ? 'cut' : answer;
  });
  return Object.assign(state, vendor);
}

type State = Pick<PostmarkServer, 'ledger' | 'refuse'>;

function work(state: State, { method, path, body }: VendorRequest): VendorAnswer {
  if (method === 'GET' && path === '/server') return { status: 200, json: { ID: 1, Name: 'Test' } };
  if (method !== 'POST' || path !== '/email/batch') return { status: 404, text: 'Not found' };
  const mails = JSON.parse(body) as PostmarkMail[];
  if (mails.length > 500) return postmarkError(422, 410, 'Too many batch messages');
  return { status: 200, json: mails.map((mail) => entry(state, mail)) };
}

function entry(state: State, mail: PostmarkMail): object {
  const refused = state.refuse?.(mail) ?? invalid(mail);
  if (refused !== undefined) return refused;
  const MessageID = randomUUID();
  state.ledger.set(MessageID, mail);
  return { To: mail.To, SubmittedAt: '2026-11-29T09:00:00Z', MessageID, ErrorCode: 0, Message: 'OK' };
}

function invalid({ From, To, HtmlBody, TextBody, Metadata = {} }: PostmarkMail): PostmarkError | undefined {
  if (!From || !To) return { ErrorCode: 300, Message: "Invalid 'To' address" };
  if (!HtmlBody && !TextBody)
    return { ErrorCode: 300, Message: 'Provide either email TextBody or HtmlBody or both.' };
  const large = Object.entries(Metadata).some(([name, value]) => name.length > 20 || value.length > 80);
  return large ? { ErrorCode: 300, Message: 'Invalid metadata' } : undefined;
}
