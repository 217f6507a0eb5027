import { kindAt } from './spread.ts';

/** What the mail server does with a message is decided by the domain of its recipient; shares of 200. */
export const MAIL_SHARES = {
  'friends.example': 182,
  /** 550 5.1.1: there is no such mailbox. */
  'gone.example': 6,
  /** 552 5.2.2: the mailbox is full. */
  'full.example': 2,
  /** 554 5.7.1: the message is refused. */
  'strict.example': 2,
  /** 451 4.7.1 at first, then accepted. */
  'grey.example': 5,
  /** Takes the message, and the connection breaks before the answer. */
  'cut-after.example': 1,
  /** The connection breaks before the message is stored. */
  'cut-before.example': 1,
  /** Takes the message, and never answers. */
  'silent.example': 1,
} as const;

/** A list of recipients as a CSV file. */
export interface RecipientFile {
  readonly csv: string;
  /** Different addresses. */
  readonly recipients: number;
  /** Lines whose address stands further up too. */
  readonly duplicates: number;
}

const NAMES = ['Ada', 'Zoë', 'José', 'Grace', 'Łukasz', 'Mei', 'Björn', 'Aisha', 'Tom', 'Ngozi'];
const CITIES = ['Lisbon', 'Köln', '"Washington, D.C."', 'Kraków', 'Osaka', 'Lagos', 'Malmö', 'Quito'];

/** One line in two hundred comes twice. */
const DUPLICATE_EVERY = 200;

/** Makes the file: columns `email`, `first_name` and `city`, and some lines twice. */
export function recipientFile(recipients: number): RecipientFile {
  const lines = Array.from({ length: recipients }, (_, index) => line(index));
  const twice = lines.filter((_, index) => index % DUPLICATE_EVERY === 0);
  return {
    csv: `${['email,first_name,city', ...lines, ...twice].join('\n')}\n`,
    recipients,
    duplicates: twice.length,
  };
}

function line(index: number): string {
  const name = NAMES[index % NAMES.length] ?? '';
  const city = CITIES[index % CITIES.length] ?? '';
  return `${addressAt(index)},${name},${city}`;
}

/** The address of the recipient at `index`. */
export function addressAt(index: number): string {
  const plain = (NAMES[index % NAMES.length] ?? '')
    .toLowerCase()
    .replaceAll('ł', 'l')
    .normalize('NFD')
    .replace(/[^a-z]/g, '');
  return `${plain}.${index + 1}@${kindAt(MAIL_SHARES, index)}`;
}
