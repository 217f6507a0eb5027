import { kindAt } from './spread.ts';

/** What a shop does with a call is decided by the path of its URL; shares of 200. */
export const SHOP_SHARES = {
  open: 174,
  /** 500 at first, then 200. */
  flaky: 6,
  /** 404. */
  closed: 6,
  /** Takes the first call, and answers too late; the second one is fine. */
  slow: 4,
  /** Takes so many calls a second, and answers 429 with Retry-After to the others. It has a server of its own. */
  busy: 10,
} as const;

/** Where the shops are reached, without a slash at the end. */
export interface ShopUrls {
  readonly shops: string;
  readonly busyShop: string;
}

/** A list of webhooks as NDJSON, one payload a line. */
export function orderFile(orders: number, urls: ShopUrls): string {
  return Array.from({ length: orders }, (_, index) => line(index, urls)).join('');
}

function line(index: number, urls: ShopUrls): string {
  const kind = kindAt(SHOP_SHARES, index);
  const order = 10_001 + index;
  const payload = {
    url: `${kind === 'busy' ? urls.busyShop : urls.shops}/${kind}/orders`,
    body: { event: 'order.paid', order, cents: 500 + ((index * 37) % 9_500) },
  };
  return `${JSON.stringify(payload)}\n`;
}
