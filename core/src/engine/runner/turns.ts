/** A chunk at work that waits for slots. */
export interface GateClient {
  readonly batch: { readonly tenantId: string; readonly batchId: string };
  /** It has started nothing for a while, and will be given back if that goes on. */
  readonly hungry: boolean;
  /** Starts what may start; called when a slot is free or a wait is over. */
  pump(): void;
}

interface Group {
  readonly batchId: string;
  readonly clients: GateClient[];
  /** Free slots that it was offered. */
  turns: number;
}

interface Tenant {
  readonly tenantId: string;
  readonly groups: Group[];
  cursor: number;
}

/** Each so many slots of a batch one goes to another chunk than the oldest, if that one is hungry. */
export const OTHERS_TURN = 8;

/**
 * Whose turn it is to get a free slot (E16): round robin over tenants, so that many batches of one get
 * no more than a single batch of another, and then over the tenant's batches.
 */
export class Turns {
  /** In the order in which they came. */
  readonly #tenants: Tenant[] = [];
  #cursor = 0;

  /** More than one batch wants slots. */
  get shared(): boolean {
    return this.#tenants.length > 1 || (this.#tenants[0]?.groups.length ?? 0) > 1;
  }

  join(client: GateClient): void {
    const { tenantId, batchId } = client.batch;
    let tenant = this.#tenants.find((one) => one.tenantId === tenantId);
    if (tenant === undefined) {
      tenant = { tenantId, groups: [], cursor: 0 };
      this.#tenants.push(tenant);
    }
    const group = tenant.groups.find((one) => one.batchId === batchId);
    if (group === undefined) tenant.groups.push({ batchId, clients: [client], turns: 0 });
    else group.clients.push(client);
  }

  leave(client: GateClient): void {
    const { tenantId, batchId } = client.batch;
    const place = this.#tenants.findIndex((one) => one.tenantId === tenantId);
    const tenant = this.#tenants[place];
    const index = tenant?.groups.findIndex((one) => one.batchId === batchId) ?? -1;
    const group = tenant?.groups[index];
    const at = group?.clients.indexOf(client) ?? -1;
    if (tenant === undefined || group === undefined || at < 0) return;
    group.clients.splice(at, 1);
    if (group.clients.length > 0) return;
    tenant.groups.splice(index, 1);
    if (tenant.cursor > index) tenant.cursor -= 1;
    if (tenant.groups.length > 0) return;
    this.#tenants.splice(place, 1);
    if (this.#cursor > place) this.#cursor -= 1;
  }

  /** Offers a slot to one after the other until it is taken. False if nobody has a use for it. */
  offer(take: (client: GateClient) => boolean): boolean {
    for (let left = this.#tenants.length; left > 0; left--) {
      if (this.#cursor >= this.#tenants.length) this.#cursor = 0;
      const tenant = this.#tenants[this.#cursor];
      this.#cursor += 1;
      if (tenant !== undefined && offerTenant(tenant, take)) return true;
    }
    return false;
  }
}

function offerTenant(tenant: Tenant, take: (client: GateClient) => boolean): boolean {
  for (let left = tenant.groups.length; left > 0; left--) {
    if (tenant.cursor >= tenant.groups.length) tenant.cursor = 0;
    const group = tenant.groups[tenant.cursor];
    tenant.cursor += 1;
    if (group !== undefined && offerGroup(group, take)) return true;
  }
  return false;
}

/**
 * The oldest chunk of a batch first, so that they end one after the other and the next are loaded
 * meanwhile. Now and then another one: a chunk that starts nothing for a second would be given back. Not more
 * often than that: each chunk with outcomes has flushes of its own.
 */
function offerGroup(group: Group, take: (client: GateClient) => boolean): boolean {
  const { clients } = group;
  group.turns += 1;
  const other = group.turns % OTHERS_TURN === 0 ? (group.turns / OTHERS_TURN) % clients.length : 0;
  const from = clients[other]?.hungry === true ? other : 0;
  for (let i = 0; i < clients.length; i++) {
    const client = clients[(from + i) % clients.length];
    if (client !== undefined && take(client)) return true;
  }
  return false;
}
