import type { Claim } from '../host-store.ts';
import type { PublicPart } from './credentials.ts';

/** Why a connection is blocked. */
export interface BlockReason {
  readonly code: string;
  readonly message: string | null;
}

/** A connection as it is stored. */
export interface ConnectionRow {
  readonly id: string;
  /** Null for a default connection, which all tenants share. */
  readonly tenantId: string | null;
  readonly type: string;
  readonly provider: string;
  readonly name: string | null;
  /** What everybody may see of the credentials. */
  readonly publicPart: PublicPart | null;
  /** All of the credentials as JSON, sealed. */
  readonly sealed: string | null;
  /** Of its credentials: higher with every change. */
  readonly version: number;
  readonly blocked: (BlockReason & { readonly since: Date }) | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a batch needs to know of its connection. */
export type NamedConnection = Pick<ConnectionRow, 'id' | 'provider' | 'name' | 'blocked'>;

/** Credentials as they are stored. */
export interface SealedCredentials {
  readonly publicPart: PublicPart;
  readonly sealed: string;
  readonly keyId: string;
}

/** When an access token ends, and when it is time for the next one. Milliseconds from now. */
export interface TokenTimes {
  readonly expiresInMs: number;
  /** Null: there is no refresh token. */
  readonly refreshInMs: number | null;
  /** The refresh was forced: the provider refused the token before. */
  readonly rescue?: boolean;
}

export interface NewConnection {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly provider: string;
  readonly name: string;
  readonly credentials: SealedCredentials;
  readonly blocked: BlockReason | null;
  /** Undefined where no OAuth tokens are kept. */
  readonly tokens: TokenTimes | undefined;
}

/** What changes; what is left out stays. */
export interface ConnectionChange {
  readonly name?: string;
  /** New ones: the version rises, and all processes are told. */
  readonly credentials?: SealedCredentials;
  /** Null takes the block off. */
  readonly blocked?: BlockReason | null;
  readonly tokens?: TokenTimes;
}

/** What a runner needs of a connection. */
export interface LoadedConnection {
  /** Null for a default connection. */
  readonly tenantId: string | null;
  readonly type: string;
  readonly provider: string;
  readonly version: number;
  readonly sealed: string | null;
  /** Undefined where no OAuth tokens are kept. */
  readonly tokens: { readonly expiresInMs: number; readonly refreshInMs: number | null } | undefined;
}

/** A grant that a person was asked for. */
export interface GrantRequest {
  readonly connectionId: string;
  /** The PKCE verifier, sealed. */
  readonly verifier: string;
  readonly returnUrl: string | undefined;
}

export interface ConnectionStore {
  list(tenantId: string): Promise<readonly ConnectionRow[]>;
  /** Of the tenant, or a default one. */
  get(tenantId: string, connectionId: string): Promise<ConnectionRow | undefined>;
  /** The tenant's named ones of a type. */
  named(tenantId: string, type: string): Promise<readonly NamedConnection[]>;
  /** @throws BatchSenderError `connection_exists` */
  insert(connection: NewConnection, claim?: Claim): Promise<void>;
  /**
   * Changes a stored connection under a lock of its row; whoever has it open is told.
   * @throws BatchSenderError `connection_not_found`, `connection_exists`, and what `change` throws.
   */
  change(
    tenantId: string | undefined,
    connectionId: string,
    change: (row: ConnectionRow) => ConnectionChange,
  ): Promise<void>;
  /** @throws BatchSenderError `connection_not_found`, `connection_in_use` */
  remove(tenantId: string, connectionId: string): Promise<void>;
  load(connectionId: string): Promise<LoadedConnection | undefined>;
  /** Takes blocks off by themselves: those of stored connections with one of these codes. */
  blockedBy(codes: readonly string[]): Promise<readonly ConnectionRow[]>;
  /** Stored connections that are not sealed with this key, behind `after`. */
  sealedOtherwise(keyId: string, after: string, limit: number): Promise<readonly ConnectionRow[]>;
  countSealed(keyId: string): Promise<number>;
  /** Seals without a new version. False if the row changed meanwhile. */
  reseal(row: ConnectionRow, credentials: Omit<SealedCredentials, 'publicPart'>): Promise<boolean>;

  addGrantRequest(stateHash: Buffer, request: GrantRequest, ttlMs: number): Promise<void>;
  /** Once only, and only in time. */
  takeGrantRequest(stateHash: Buffer): Promise<GrantRequest | undefined>;
  /** Connections whose tokens it is time to refresh. */
  dueTokens(limit: number): Promise<readonly string[]>;
  /**
   * Runs `work` while no other process refreshes the tokens of this connection (a lock on their row). Undefined
   * if there are none, or `skip` is set and another one holds the lock.
   */
  withTokens<T>(
    connectionId: string,
    options: { readonly skip: boolean },
    work: (state: TokenState) => Promise<T>,
  ): Promise<T | undefined>;
}

/** The tokens of a connection under their lock. */
export interface TokenState {
  readonly row: ConnectionRow;
  readonly expiresInMs: number;
  readonly refreshInMs: number | null;
  /** Refreshes in a row that failed. */
  readonly failures: number;
  /** The version that a forced refresh has made last. */
  readonly rescuedVersion: number | null;
  /** Stores new tokens, or a block: in the transaction of the lock. */
  change(change: (row: ConnectionRow) => ConnectionChange): Promise<void>;
  /** The refresh failed for now. */
  postpone(inMs: number): Promise<void>;
}
