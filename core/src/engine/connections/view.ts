import type { Provider } from '../../plugin/index.ts';
import type { Connection } from './api.ts';
import { type PublicPart, publicPart } from './credentials.ts';
import type { ConnectionRow } from './store.ts';

/** A connection as everybody may see it. What a newer schema calls secret is not shown either. */
export function connectionView(row: ConnectionRow, provider: Provider | undefined): Connection {
  const { id, type, name, blocked, createdAt, updatedAt } = row;
  const shown = shownPart(row.publicPart, provider);
  return {
    id,
    type,
    provider: row.provider,
    name,
    state: blocked === null ? 'ok' : 'blocked',
    code: blocked?.code ?? null,
    message: blocked?.message ?? null,
    since: blocked?.since ?? null,
    credentials: shown?.fields ?? null,
    secrets: shown?.secrets ?? [],
    createdAt,
    updatedAt,
  };
}

function shownPart(stored: PublicPart | null, provider: Provider | undefined): PublicPart | null {
  if (stored === null || provider === undefined) return stored;
  const { fields, secrets } = publicPart(stored.fields, provider.credentials);
  return { fields, secrets: [...stored.secrets, ...secrets] };
}
