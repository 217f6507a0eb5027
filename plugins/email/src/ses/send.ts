import {
  type Call,
  type Failed,
  failed,
  type IdentifiedResult,
  isNotSent,
  type Job,
  type JobResult,
  LostCallError,
  retry,
  succeeded,
  unknown,
} from '@batchsender/core/plugin';
import { composeMessage } from '../message/compose.ts';
import { isFailure, type Mail, mailOf } from '../message/mail.ts';
import type { PlainText } from '../message/plain-text.ts';
import type { EmailPayload } from '../payload.ts';
import { type BulkPart, bulkInput, fitsBulk, valuesFit } from './bulk.ts';
import type { SesClient } from './client.ts';
import { judgeEntry, judgeError } from './judge.ts';
import { tagsOf } from './tags.ts';

/** What calls of a session share. */
export interface Api extends SesClient {
  readonly configurationSet: string | undefined;
  readonly plainText: PlainText;
}

type EmailJob = Job<EmailPayload>;

/** Sends what can share a bulk call in one, and the others one by one. */
export async function send(api: Api, jobs: readonly EmailJob[], call: Call): Promise<IdentifiedResult[]> {
  const results: IdentifiedResult[] = [];
  const parts: BulkPart[] = [];
  const alone: EmailJob[] = [];
  for (const job of jobs) {
    const mail = readMail(job, api.plainText);
    if (isFailure(mail)) results.push({ ...mail, jobId: job.id });
    else if (jobs.length > 1 && fitsBulk(job.payload) && valuesFit(mail)) parts.push({ jobId: job.id, mail });
    else alone.push(job);
  }
  // More than one of them come together only if their payloads are the same.
  for (const job of alone) {
    const sent = sendAlone(api, job, call);
    const result = await (jobs.length === 1 ? sent : sent.catch(lostResult));
    results.push({ ...result, jobId: job.id });
  }
  const [first, ...rest] = parts;
  if (first === undefined) return results;
  const sent = sendBulk(api, [first, ...rest], call);
  const bulk =
    parts.length === jobs.length ? sent : sent.catch((error) => forParts(parts, lostResult(error)));
  return [...results, ...(await bulk)];
}

/** Of several requests for one call, one that is lost says nothing about the others. */
function lostResult(error: unknown): JobResult {
  const { code = 'network_error', message = '' } = (error ?? {}) as { code?: string; message?: string };
  return isNotSent(error) ? retry(code, { message }) : unknown(code, { message });
}

function readMail({ payload }: EmailJob, plainText: PlainText): Mail | Failed {
  const mail = mailOf(payload, plainText);
  if (isFailure(mail)) return mail;
  const { from, to, cc, bcc, replyTo } = mail;
  // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html: no SMTPUTF8.
  const utf8 = [from, ...to, ...cc, ...bcc, ...replyTo].some(({ needsUtf8 }) => needsUtf8);
  return utf8 ? failed('smtputf8_unsupported', { message: NO_UTF8 }) : mail;
}

const NO_UTF8 = 'An address has other letters than ASCII before the @, and SES does not take such addresses';

async function sendAlone(
  { sdk, client, configurationSet, plainText }: Api,
  job: EmailJob,
  { signal }: Call,
): Promise<JobResult> {
  const message = await composeMessage(job.payload, { idempotencyKey: job.id, plainText });
  const addresses = (wanted: string) =>
    message.recipients.filter(({ kind }) => kind === wanted).map(({ mailbox }) => mailbox.address);
  const command = new sdk.SendEmailCommand({
    Content: { Raw: { Data: message.raw } },
    Destination: {
      ToAddresses: addresses('to'),
      CcAddresses: addresses('cc'),
      BccAddresses: addresses('bcc'),
    },
    EmailTags: tagsOf(job.id, [...new Set(job.payload.tags)]),
    ...(configurationSet === undefined ? {} : { ConfigurationSetName: configurationSet }),
  });
  try {
    const { MessageId } = await client.send(command, { abortSignal: signal });
    return MessageId === undefined ? lost() : succeeded(MessageId);
  } catch (error) {
    return judgeError(error);
  }
}

const lost = (): never => {
  throw new LostCallError('The answer is not one of SES', 'invalid_response');
};

async function sendBulk(
  { sdk, client, configurationSet }: Api,
  parts: readonly [BulkPart, ...BulkPart[]],
  { signal }: Call,
): Promise<IdentifiedResult[]> {
  try {
    const command = new sdk.SendBulkEmailCommand(bulkInput(parts, configurationSet));
    const { BulkEmailEntryResults: entries = [] } = await client.send(command, { abortSignal: signal });
    // One for each message, in their order.
    if (entries.length !== parts.length) return lost();
    return parts.map(({ jobId }, index): IdentifiedResult => {
      const { Status, MessageId } = entries[index] ?? {};
      const taken = Status === 'SUCCESS' && MessageId !== undefined;
      return { ...(taken ? succeeded(MessageId) : judgeEntry(Status)), jobId };
    });
  } catch (error) {
    return forParts(parts, judgeError(error));
  }
}

const forParts = (parts: readonly BulkPart[], result: JobResult): IdentifiedResult[] =>
  parts.map(({ jobId }) => ({ ...result, jobId }));
