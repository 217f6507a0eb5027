import { createVerify, type KeyObject } from 'node:crypto';
import { callbackRefused } from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import { type Fields, readFields, textAt } from '../receipts/read.ts';

/**
 * Largest body that is read. Its signature is over fields of it, so it must be parsed before it is
 * believed; a message of SNS has at most 256 kB (https://docs.aws.amazon.com/general/latest/gr/sns.html).
 */
const MAX_BODY = 1_000_000;

/** How old a message may be: SNS gives up after an hour (https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html). */
const MAX_AGE_MS = 3_600_000;

/** How far its clock may be ahead of ours. */
const MAX_AHEAD_MS = 300_000;

/** The fields of a message that are signed, and those that say how. */
export interface SnsMessage {
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  readonly fields: Fields;
}

const TYPES: ReadonlySet<string> = new Set([
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
]);

/**
 * Reads a message, and refuses what a stranger may have sent, before its signature is looked at:
 * another topic, an old message.
 * @throws CallbackRefusedError
 */
export function readSnsMessage(
  body: Uint8Array,
  topicArn: string | undefined,
  nowMs: number = Date.now(),
): SnsMessage {
  if (topicArn === undefined) {
    throw callbackRefused(401, 'no_topic', 'Set topicArn in the connection before receipts are sent to it');
  }
  if (body.length > MAX_BODY)
    throw callbackRefused(400, 'body_too_large', 'No message of SNS is as large as this');
  const fields = readFields(body);
  const type = textAt(fields, 'Type') ?? '';
  const messageId = textAt(fields, 'MessageId') ?? '';
  const message = textAt(fields, 'Message');
  if (!TYPES.has(type) || messageId === '' || message === undefined) {
    throw callbackRefused(400, 'invalid_body', 'The body is no message of SNS');
  }
  if (textAt(fields, 'TopicArn') !== topicArn) {
    throw callbackRefused(401, 'wrong_topic', 'The message is not of the topicArn of the connection');
  }
  const ageMs = nowMs - Date.parse(textAt(fields, 'Timestamp') ?? '');
  if (!(ageMs <= MAX_AGE_MS && ageMs >= -MAX_AHEAD_MS)) {
    throw callbackRefused(401, 'stale_signature', 'The message is more than an hour old');
  }
  return { type: type as SnsMessage['type'], messageId, topicArn, message, fields };
}

const SIGNED = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: [
    'Message',
    'MessageId',
    'SubscribeURL',
    'Timestamp',
    'Token',
    'TopicArn',
    'Type',
  ],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const;

/**
 * What is signed: names and values, a line each, in the order of their names; `Subject` only if there is one
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html).
 */
function signedText({ type, fields }: Pick<SnsMessage, 'type' | 'fields'>): string {
  return SIGNED[type]
    .map((name) => [name, textAt(fields, name)])
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}

/** Version 1 is SHA-1, version 2 SHA-256, both with RSA. */
const DIGESTS: Readonly<Record<string, string>> = { 1: 'RSA-SHA1', 2: 'RSA-SHA256' };

/** True if the message was signed with the private half of this key. */
export function isSignedBy(message: SnsMessage, key: KeyObject): boolean {
  const digest = lookup(DIGESTS, textAt(message.fields, 'SignatureVersion'));
  const signature = textAt(message.fields, 'Signature');
  if (digest === undefined || signature === undefined || key.asymmetricKeyType !== 'rsa') return false;
  return createVerify(digest).update(signedText(message), 'utf8').verify(key, signature, 'base64');
}
