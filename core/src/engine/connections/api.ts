import type { JsonObject } from '../../plugin/index.ts';
import type { IdempotencyClaim, Tenant } from '../api.ts';

/** Credentials of one provider, as everybody may see them. */
export interface Connection {
  /** `con_<uuid>`; of a provider's default connection `<type>.<provider>`. */
  readonly id: string;
  readonly type: string;
  readonly provider: string;
  /** What batches call it; null for a default connection, which batches get that name none. */
  readonly name: string | null;
  readonly state: 'ok' | 'blocked';
  /** Why it is blocked. */
  readonly code: string | null;
  readonly message: string | null;
  readonly since: Date | null;
  /** Without the secrets. Null for a default connection: its credentials come from the host. */
  readonly credentials: JsonObject | null;
  /** JSON pointers into the credentials: secrets that are set. They are never shown. */
  readonly secrets: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ConnectionInput {
  readonly type: string;
  readonly provider: string;
  /** Unique for its tenant and type: `[a-z0-9][a-z0-9-]{0,62}`. */
  readonly name: string;
  /** By the schema of the provider's credentials. */
  readonly credentials: JsonObject;
}

export interface ConnectionPatch {
  readonly name?: string;
  /** JSON merge patch (RFC 7396): what is left out stays as it is, null takes a field away. */
  readonly credentials?: JsonObject;
}

/** Whether a connection works. */
export interface ConnectionTest {
  readonly ok: boolean;
  /** Why not; null if it works. */
  readonly code: string | null;
  readonly message: string | null;
  readonly latencyMs: number;
}

/**
 * Named credentials, kept encrypted. All calls throw BatchSenderError `connection_not_found` for ids of
 * other tenants, and the changing ones `connection_is_default` for those whose credentials the host gives.
 */
export interface Connections {
  /**
   * @throws BatchSenderError `unknown_type`, `unknown_provider`, `connection_exists`, `secret_key_missing`,
   * InvalidInputError `invalid_connection`.
   */
  create(
    connection: ConnectionInput,
    options?: Tenant & { readonly idempotency?: IdempotencyClaim },
  ): Promise<Connection>;
  get(connectionId: string, options?: Tenant): Promise<Connection>;
  /** The tenant's own ones, and the default ones that were used. */
  list(options?: Tenant): Promise<readonly Connection[]>;
  /**
   * New credentials are used by all processes within a second, without a restart. They take a block off.
   * @throws as `create` does, and `secret_key_wrong`.
   */
  update(connectionId: string, patch: ConnectionPatch, options?: Tenant): Promise<Connection>;
  /** @throws BatchSenderError `connection_in_use` while batches that have not ended use it. */
  remove(connectionId: string, options?: Tenant): Promise<void>;
  /** Opens a session in this process and asks the provider, for 10 seconds at most. Default ones too. */
  test(connectionId: string, options?: Tenant): Promise<ConnectionTest>;
  /** Takes a block off; what waited goes on. @throws BatchSenderError `connection_not_authorized`. */
  unblock(connectionId: string, options?: Tenant): Promise<Connection>;
  /**
   * Begins an OAuth grant: a person opens the URL within 10 minutes. `returnUrl`: where they are sent in the end.
   * @throws BatchSenderError `oauth_unsupported`, `public_url_missing`, InvalidInputError `invalid_connection`.
   */
  authorize(
    connectionId: string,
    options?: Tenant & { readonly returnUrl?: string },
  ): Promise<{ readonly url: string }>;
  /**
   * Ends an OAuth grant: the provider sent the person back, with these parameters of the query.
   * @throws BatchSenderError `oauth_state_invalid`; `oauth_refused` if there is no `returnUrl` to tell it.
   */
  completeAuthorization(answer: AuthorizationAnswer): Promise<AuthorizationEnd>;
  /** Seals all credentials with the first secret key, of all tenants. May be repeated. */
  rotateSecrets(): Promise<SecretRotation>;
}

/** The query of an authorization response (RFC 6749, sections 4.1.2 and 4.1.2.1). */
export interface AuthorizationAnswer {
  readonly state: string;
  readonly code?: string;
  readonly error?: string;
}

export interface AuthorizationEnd {
  readonly connectionId: string;
  /** With `connection` and, if it failed, `error` in its query; undefined if none was given. */
  readonly returnUrl: string | undefined;
}

export interface SecretRotation {
  /** Connections that are sealed with the first key since this call. */
  readonly rotated: number;
  /** Connections that were sealed with it before. */
  readonly current: number;
  /** Connections that no key opens. */
  readonly failed: readonly { readonly connectionId: string; readonly code: string }[];
}
