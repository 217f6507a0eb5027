import type { Vault } from '../vault/vault.ts';
import type { SecretRotation } from './api.ts';
import { isKeyError } from './opened.ts';
import type { ConnectionRow, ConnectionStore } from './store.ts';

const PAGE = 100;

type RotationStore = Pick<ConnectionStore, 'sealedOtherwise' | 'countSealed' | 'reseal'>;

/**
 * Seals all credentials with the first key, one row at a time: it may be ended and begun again at any moment.
 * The version stays, since the credentials are the same.
 */
export async function rotateSecrets(store: RotationStore, vault: Vault): Promise<SecretRotation> {
  const { keyId } = vault;
  const current = await store.countSealed(keyId);
  const failed: { connectionId: string; code: string }[] = [];
  let rotated = 0;
  for (let after = ''; ; ) {
    const rows = await store.sealedOtherwise(keyId, after, PAGE);
    for (const row of rows) {
      const code = await reseal(store, vault, row);
      if (code === undefined) rotated += 1;
      else failed.push({ connectionId: row.id, code });
      after = row.id;
    }
    if (rows.length < PAGE) return { rotated, current, failed };
  }
}

/** Answers why it could not be done. */
async function reseal(store: RotationStore, vault: Vault, row: ConnectionRow): Promise<string | undefined> {
  try {
    const text = vault.open(row.sealed ?? '', row.id);
    const isSealed = await store.reseal(row, { sealed: vault.seal(text, row.id), keyId: vault.keyId });
    return isSealed ? undefined : 'changed_meanwhile';
  } catch (error) {
    if (!isKeyError(error)) throw error;
    return error.code;
  }
}
