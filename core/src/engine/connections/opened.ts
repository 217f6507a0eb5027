import type { JsonObject, Provider } from '../../plugin/index.ts';
import type { BatchSenderError } from '../errors.ts';
import { type Hide, hiding } from '../vault/hide-secrets.ts';
import type { Vault } from '../vault/vault.ts';
import { secretTexts, withDefaults } from './credentials.ts';

/** A connection with its credentials in the clear, in the memory of a process. */
export interface OpenedConnection {
  readonly connectionId: string;
  /** Of the credentials; 0 for a default connection. */
  readonly version: number;
  readonly credentials: never;
  /** Takes its secrets out of a text; undefined if it has none. */
  readonly hide: Hide | undefined;
}

/** Opens what was sealed. @throws BatchSenderError `secret_key_missing`, `secret_key_wrong` */
export const unseal = (vault: Vault, connectionId: string, sealed: string): JsonObject =>
  JSON.parse(vault.open(sealed, connectionId)) as JsonObject;

/** Credentials as a provider gets them. */
export function openedConnection(
  connectionId: string,
  version: number,
  provider: Provider,
  credentials: JsonObject,
): OpenedConnection {
  const hide = hiding(secretTexts(credentials, provider.credentials));
  return { connectionId, version, credentials: credentials as never, hide };
}

/** As {@link openedConnection}, for credentials that came as somebody gave them. */
export const openedWithDefaults = (
  connectionId: string,
  version: number,
  provider: Provider,
  credentials: JsonObject,
): OpenedConnection =>
  openedConnection(connectionId, version, provider, withDefaults(provider.credentials, credentials));

/** A stored connection that cannot be used here: it is blocked, with this code (E18). */
export class UnusableConnectionError extends Error {
  override readonly name = 'UnusableConnectionError';
  readonly connectionId: string;
  readonly version: number;
  readonly code: string;

  constructor(connectionId: string, version: number, cause: BatchSenderError) {
    super(cause.message, { cause });
    this.connectionId = connectionId;
    this.version = version;
    this.code = cause.code;
  }
}

/** Codes of blocks that end by a start with the right keys. */
export const KEY_CODES: readonly string[] = ['secret_key_missing', 'secret_key_wrong'];

/** True for an error of the keys. By code and not by class: two copies of core must do no harm. */
export const isKeyError = (error: unknown): error is BatchSenderError =>
  KEY_CODES.includes(String((error as { code?: unknown } | null)?.code));
