/** What the vendors are sent, the same by the engine and by the bare loops. */
export const ACCOUNT_SID = `AC${'0123456789abcdef'.repeat(2)}`;
export const TOKEN = 'bench-token';
/** A number of Twilio's own for tests. */
export const SENDER = '+15005550006';

/** Valid numbers in the plan of Germany; the messages stay on this machine. */
export const phoneNumber = (index: number): string => `+4915123${String(index % 1_000_000).padStart(6, '0')}`;

export const textMessage = (index: number): string => `Your parcel ${100_000 + index} arrives today.`;

export const contact = (index: number) => ({
  email: `recipient${index}@example.org`,
  firstname: `Recipient ${index}`,
  lastname: 'Example',
  customer_number: String(100_000 + index),
});
