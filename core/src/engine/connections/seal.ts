import type { TSchema } from 'typebox';
import type { JsonObject } from '../../plugin/index.ts';
import type { Vault } from '../vault/vault.ts';
import { publicPart } from './credentials.ts';
import type { SealedCredentials } from './store.ts';

/** Credentials as they are stored: all of them sealed, and beside it what everybody may see. */
export function sealCredentials(
  vault: Vault,
  connectionId: string,
  credentials: JsonObject,
  schema: TSchema,
): SealedCredentials {
  const sealed = vault.seal(JSON.stringify(credentials), connectionId);
  return { publicPart: publicPart(credentials, schema), sealed, keyId: vault.keyId };
}
