import { expect, test } from 'vitest';
import { explainDatabase, explainListen, startMessage } from '../../src/cli/explain.ts';
import { readSettings } from '../../src/settings.ts';

const coded = (code: string): Error => Object.assign(new Error('raw message'), { code });
const settings = readSettings({}, '/');
const URL_WITH_PASSWORD = 'postgres://user:hunter2@db.example:5433/mail';

test.each([
  ['EADDRINUSE', /^Port 3000 of 127\.0\.0\.1 is taken\. .*PORT=3001$/],
  ['EACCES', /may not listen on port 3000/],
  ['EADDRNOTAVAIL', /^HOST=127\.0\.0\.1 is no address of this machine/],
  ['ENOTFOUND', /^HOST=127\.0\.0\.1 is not known/],
])('%s of the socket says what to do', (code, message) => {
  expect(startMessage(explainListen(coded(code), settings))).toMatch(message);
});

test.each([
  [
    'ECONNREFUSED',
    /^The database of DATABASE_URL \(db\.example:5433\/mail\) does not answer \(ECONNREFUSED\)\. Start it/,
  ],
  ['28P01', /cannot be used\. Its user or password is wrong\.$/],
  ['3D000', /There is no database of that name/],
  ['42501', /grant CREATE/],
])('%s of the database says what to do, without the password', (code, message) => {
  const text = startMessage(explainDatabase(coded(code), URL_WITH_PASSWORD));
  expect(text).toMatch(message);
  expect(text).not.toContain('hunter2');
});

test('an error of the code is shown with its stack, to be reported', () => {
  expect(startMessage(explainDatabase(new TypeError('x'), URL_WITH_PASSWORD))).toMatch(
    /error of its own\. Please report it\.\nTypeError: x\n\s+at /,
  );
});
