import { expect, it } from 'vitest';
import { addressAt, recipientFile } from '../src/recipients.ts';

it('makes a file with a header, every recipient, and some lines twice', () => {
  const { csv, recipients, duplicates } = recipientFile(400);
  const [header, ...lines] = csv.trimEnd().split('\n');
  expect(header).toBe('email,first_name,city');
  expect({ recipients, duplicates }).toEqual({ recipients: 400, duplicates: 2 });
  expect(lines).toHaveLength(402);
  expect(new Set(lines).size).toBe(400);
  expect(lines[2]).toMatch(/^jose\.3@[a-z-]+\.example,José,"Washington, D\.C\."$/);
});

it('gives everybody an address of their own, in plain letters', () => {
  const addresses = Array.from({ length: 1_000 }, (_, index) => addressAt(index));
  expect(new Set(addresses).size).toBe(1_000);
  for (const address of addresses) expect(address).toMatch(/^[a-z]+\.\d+@[a-z-]+\.example$/);
});
