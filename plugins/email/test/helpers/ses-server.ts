import { randomUUID } from 'node:crypto';
import PostalMime, { type Email } from 'postal-mime';
import { type HttpVendor, httpVendor, type VendorAnswer, type VendorRequest } from './http-vendor.ts';
import { isSigned } from './sigv4.ts';

/** A message as SES would send it. */
export interface SesMail {
  readonly to: readonly string[];
  readonly from: string;
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one that came raw. */
  readonly raw?: Email;
}

/**
 * Plays the API of SES, version 2
 * (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html and
 * API_SendEmail.html), for the client of AWS.
 */
export interface SesServer extends HttpVendor {
  /** What the server took, by the id that it gave. */
  readonly ledger: Map<string, SesMail>;
  trouble: ((request: VendorRequest) => VendorAnswer | undefined) | undefined;
  /** The status of a bulk entry that is refused, or the name of the error of a single message. */
  refuse: ((mail: SesMail) => string | undefined) | undefined;
  cutAfterwards: boolean;
}

/** The keys that requests must be signed with. */
export interface SesKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An error in the form of AWS. */
export const sesError = (status: number, name: string, message = 'No'): VendorAnswer => ({
  status,
  headers: { 'x-amzn-errortype': name },
  json: { message },
});

export async function sesServer(keys: SesKeys): Promise<SesServer> {
  const state = {
    ledger: new Map<string, SesMail>(),
    trouble: undefined as SesServer['trouble'],
    refuse: undefined as SesServer['refuse'],
    cutAfterwards: false,
  };
  const vendor = await httpVendor(async (request) => {
    const trouble = state.trouble?.(request);
    if (trouble !== undefined) return trouble;
    if (!isSigned(request, keys)) {
      return sesError(403, 'InvalidSignatureException', 'The request signature does not match.');
    }
    const answer = await work(state, request);
    return state.cutAfterwards ? 'cut' : answer;
  });
  return Object.assign(state, vendor);
}

type State = Pick<SesServer, 'ledger' | 'refuse'>;

function work(state: State, { method, path, body }: VendorRequest): VendorAnswer | Promise<VendorAnswer> {
  if (method === 'GET' && path === '/v2/email/account')
    return { status: 200, json: { SendingEnabled: true } };
  if (path === '/v2/email/outbound-emails') return single(state, JSON.parse(body) as SingleInput);
  if (path === '/v2/email/outbound-bulk-emails') return bulk(state, JSON.parse(body) as BulkInput);
  return sesError(404, 'NotFoundException');
}

interface Tag {
  readonly Name: string;
  readonly Value: string;
}

interface SingleInput {
  readonly Content: { readonly Raw: { readonly Data: string } };
  readonly Destination: Readonly<Record<string, readonly string[]>>;
  readonly EmailTags: readonly Tag[];
}

interface BulkInput {
  readonly FromEmailAddress: string;
  readonly DefaultContent: {
    readonly Template: { readonly TemplateContent: { Subject: string; Text?: string; Html?: string } };
  };
  readonly BulkEmailEntries: readonly {
    readonly Destination: { readonly ToAddresses: readonly string[] };
    readonly ReplacementTags: readonly Tag[];
    readonly ReplacementHeaders?: readonly Tag[];
    readonly ReplacementEmailContent: {
      readonly ReplacementTemplate: { readonly ReplacementTemplateData: string };
    };
  }[];
}

const pairs = (list: readonly Tag[] = []) => Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]));

async function single(state: State, input: SingleInput): Promise<VendorAnswer> {
  const raw = await PostalMime.parse(Buffer.from(input.Content.Raw.Data, 'base64'));
  const mail: SesMail = {
    to: Object.values(input.Destination).flat(),
    from: raw.from?.address ?? '',
    subject: raw.subject ?? '',
    text: raw.text,
    html: raw.html,
    tags: pairs(input.EmailTags),
    headers: Object.fromEntries(raw.headers.map(({ key, value }) => [key, value])),
    raw,
  };
  const refused = tagProblem(mail) ?? state.refuse?.(mail);
  if (refused !== undefined) return sesError(400, refused, `${mail.to.join()} is refused`);
  return { status: 200, json: { MessageId: take(state, mail) } };
}

function bulk(state: State, input: BulkInput): VendorAnswer {
  if (input.BulkEmailEntries.length > 50) return sesError(400, 'BadRequestException');
  const { Subject, Text, Html } = input.DefaultContent.Template.TemplateContent;
  const BulkEmailEntryResults = input.BulkEmailEntries.map((entry) => {
    const data = JSON.parse(
      entry.ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData,
    ) as Record<string, string>;
    // Handlebars: a value with three braces is put in as it is.
    const render = (part: string) =>
      part.replace(/\{\{\{(\w+)\}\}\}/g, (_all, name: string) => data[name] ?? '');
    const mail: SesMail = {
      to: entry.Destination.ToAddresses,
      from: input.FromEmailAddress,
      subject: render(Subject),
      text: Text === undefined ? undefined : render(Text),
      html: Html === undefined ? undefined : render(Html),
      tags: pairs(entry.ReplacementTags),
      headers: pairs(entry.ReplacementHeaders),
    };
    const refused = tagProblem(mail) ?? state.refuse?.(mail);
    return refused === undefined
      ? { Status: 'SUCCESS', MessageId: take(state, mail) }
      : { Status: refused, Error: `${mail.to.join()} is refused` };
  });
  return { status: 200, json: { BulkEmailEntryResults } };
}

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html */
const tagProblem = ({ tags }: SesMail): string | undefined =>
  Object.entries(tags)
    .flat()
    .every((text) => /^[\w-]{1,256}$/.test(text))
    ? undefined
    : 'INVALID_PARAMETER';

function take(state: State, mail: SesMail): string {
  const id = `0100${randomUUID()}-000000`;
  state.ledger.set(id, mail);
  return id;
}
