import { createSign } from 'node:crypto';
import { snsCertificate } from './sns-certificate.ts';

export const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:ses-receipts';
export const CERT_URL =
  'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem';

export type SnsFields = Readonly<Record<string, string | undefined>>;

/** A message in the form of https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html, signed as SNS does. */
export function snsMessage(fields: SnsFields, sign: (text: string) => string = signedBy()): string {
  const all: SnsFields = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC,
    Timestamp: new Date().toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERT_URL,
    ...fields,
  };
  const names =
    all['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names.flatMap((name) => (all[name] === undefined ? [] : [`${name}\n${all[name]}\n`])).join('');
  return JSON.stringify({ ...all, Signature: sign(text) });
}

export const signedBy =
  (algorithm: 'RSA-SHA256' | 'RSA-SHA1' = 'RSA-SHA256', key: string = snsCertificate.key) =>
  (text: string): string =>
    createSign(algorithm).update(text).sign(key, 'base64');

/** A `fetch` that plays the hosts of AWS, and keeps what it was asked for. */
export interface FakeAws {
  readonly fetch: typeof globalThis.fetch;
  readonly asked: string[];
  /** What the next answers are; a certificate by default. */
  answer: () => Response | Promise<Response>;
}

export function fakeAws(): FakeAws {
  const asked: string[] = [];
  const aws: FakeAws = {
    asked,
    answer: () => new Response(snsCertificate.cert),
    fetch: async (input) => {
      asked.push(String(input));
      return aws.answer();
    },
  };
  return aws;
}
