import t from 'tap';
import { databaseUrl } from '../../../gateway/postgres/url.ts';

const SECRET = 'hunter2';
const refusal = (text: string): string => {
  try {
    databaseUrl(text);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

t.test('a server on this machine needs no certificate', (t) => {
  const texts = [
    `postgres://u:${SECRET}@localhost/d`, 'postgresql://u@127.0.0.1:5433/d', 'postgres://u@[::1]/d', 'postgres://u@127.9.9.9/d',
    'postgres://u@localhost/d?host=/run/postgresql', 'postgres://u@%2Frun%2Fpostgresql/d',
  ];
  for (const text of texts) {
    t.strictSame(databaseUrl(text), { connectionString: text });
  }
  t.end();
});

t.test('one beyond it must prove its name', (t) => {
  const verified = `postgres://u:${SECRET}@db.example.com/d?sslmode=verify-full`;
  t.strictSame(databaseUrl(verified), { connectionString: verified });
  for (const query of ['', '?sslmode=disable', '?sslmode=prefer', '?sslmode=require', '?sslmode=verify-ca', '?sslmode=no-verify', '?sslmode=VERIFY-FULL']) {
    const said = refusal(`postgres://u:${SECRET}@db.example.com/d${query}`);
    t.match(said, /the server db\.example\.com is not on this machine, so sslmode=verify-full is required/);
  }
  t.match(refusal('postgres://u@localhost/d?host=db.example.com'), /not on this machine/);
  t.match(refusal('postgres:///d'), /names no server/);
  t.match(refusal('postgres://u@localhost/d?host='), /names no server/);
  t.match(refusal('postgres://u@localhost.example.com/d'), /not on this machine/);
  t.match(refusal('postgres://u@127.0.0.1.example.com/d'), /not on this machine/);
  t.end();
});

t.test('what could weaken the check, or says two things, is refused', (t) => {
  for (const query of ['ssl=0', 'uselibpqcompat=true', 'options=-c%20fsync%3Doff', 'sslmode=disable']) {
    t.match(refusal(`postgres://u:${SECRET}@db.example.com/d?sslmode=verify-full&${query}`), /is unknown or repeated/);
  }
  t.end();
});

t.test('no message shows the password', (t) => {
  const texts = [
    `postgres://u:${SECRET}@db.example.com/d`, `mysql://u:${SECRET}@localhost/d`, `u:${SECRET}@localhost`, `postgres://u:${SECRET}@bad host/d`,
    `postgres://u:${SECRET}@h/d?x=${SECRET}`, `postgres://u:${SECRET}@h/d?${SECRET}=1`, '',
  ];
  for (const text of texts) {
    t.not(refusal(text), 'accepted');
    t.notMatch(refusal(text), SECRET);
  }
  t.end();
});
