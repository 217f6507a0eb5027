import {
  AuthorizationError,
  PermissionViolationError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node';
import type { NatsSettings } from '../settings/nats.ts';

/** What is wrong with NATS, in words for whoever runs the server. It quotes no secret. */
export interface NatsProblem {
  readonly message: string;
  /** Only other settings help, so a start fails by it. */
  readonly isForGood: boolean;
}

const forGood = (message: string): NatsProblem => ({ message, isForGood: true });
const forNow = (message: string): NatsProblem => ({ message, isForGood: false });

/** Error codes of JetStream: no memory, no storage, a limit of the account, too few servers. */
const NO_ROOM = new Set([10_023, 10_028, 10_047, 10_002]);
const TOO_FEW_SERVERS = new Set([10_005, 10_074]);
const NO_JETSTREAM = new Set([10_039, 10_076]);

/** Codes of Node and OpenSSL for a certificate that was not believed, ours or theirs. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|ERR_SSL|ERR_OSSL/;

/** Explains an error of the connection to NATS, or of its JetStream. */
export function explainNats(error: unknown, settings: NatsSettings): NatsProblem {
  const place = `NATS at ${settings.servers.join(', ')}`;
  const { code, message, name } = asError(error);
  const refused = refusal(error, settings, place);
  if (refused !== undefined) return refused;
  if (error instanceof StreamProblem) return forGood(message);
  if (NO_ROOM.has(Number(code))) {
    return forNow(
      `${place} has no room for the stream '${settings.stream}': raise the limits of JetStream or of the account (${code}).`,
    );
  }
  if (TOO_FEW_SERVERS.has(Number(code))) {
    return forNow(
      `${place} has too few servers for BATCHSENDER_NATS_REPLICAS=${settings.replicas} (${code}).`,
    );
  }
  if (NO_JETSTREAM.has(Number(code)) || name === 'JetStreamNotEnabled') {
    return forNow(
      `${place} has no JetStream for this user. Start nats-server with -js, or enable it in the account.`,
    );
  }
  return forNow(`${place} does not answer (${code ?? name}).`);
}

/** The stream of this name is not ours, or the server dropped what we need of it. */
export class StreamProblem extends Error {
  override readonly name = 'StreamProblem';
}

function refusal(error: unknown, settings: NatsSettings, place: string): NatsProblem | undefined {
  const { code, message } = asError(error);
  if (error instanceof UserAuthenticationExpiredError) {
    return forGood(`${place} says that the credentials have expired. Renew them.`);
  }
  if (error instanceof AuthorizationError || causeOf(error) instanceof AuthorizationError) {
    return forGood(`${place} does not let us in: ${PROOFS[settings.auth.kind]}`);
  }
  if (error instanceof PermissionViolationError) {
    return forNow(`${place} forbids this user to ${error.operation} '${error.subject}'.`);
  }
  if (/unable to parse credentials/.test(message)) {
    return forGood('BATCHSENDER_NATS_CREDENTIALS is no credentials file: it needs a JWT and a seed.');
  }
  if (/does not support 'tls'/.test(message)) {
    return forGood(`${place} has no TLS, but NATS_URL or BATCHSENDER_NATS_TLS_CA asks for it.`);
  }
  if (typeof code === 'string' && CERTIFICATE.test(code)) return certificateProblem(code, settings, place);
  return undefined;
}

function certificateProblem(code: string, { tls }: NatsSettings, place: string): NatsProblem {
  if (/ALERT|HANDSHAKE/.test(code)) {
    const remedy =
      tls?.cert === undefined
        ? 'it wants a certificate of the client. Set BATCHSENDER_NATS_TLS_CERT and BATCHSENDER_NATS_TLS_KEY'
        : 'it does not take our certificate, BATCHSENDER_NATS_TLS_CERT';
    return forGood(`${place} ended the TLS handshake: ${remedy} (${code}).`);
  }
  return forGood(
    `The certificate of ${place} is not trusted (${code}). Set BATCHSENDER_NATS_TLS_CA to that of its authority, and use the name that the certificate has.`,
  );
}

const PROOFS = {
  none: 'it wants a user and a password, a token, an nkey or a credentials file. See BATCHSENDER_NATS_USER and the variables beside it.',
  password: 'the user or the password is wrong.',
  token: 'the token is wrong.',
  nkey: 'it does not know the nkey of BATCHSENDER_NATS_NKEY_SEED.',
  credentials: 'it does not take the credentials of BATCHSENDER_NATS_CREDENTIALS.',
} as const;

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

function asError(error: unknown): { code?: unknown; message: string; name: string } {
  if (!(error instanceof Error)) return { message: String(error), name: typeof error };
  const inner = causeOf(error) as { code?: unknown } | undefined;
  const code = (error as { code?: unknown }).code ?? inner?.code;
  return { ...(code === undefined ? {} : { code }), message: error.message, name: error.name };
}
