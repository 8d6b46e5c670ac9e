/** What the person who types `npm start` reads: a way to a token of this start, or what is wrong with a setting. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { welcome } from '../../gateway/welcome.ts';
import { startGatewayProcess, temporaryFolder } from '../doubles/gateway.ts';

const URL = 'http://127.0.0.1:8080';
const hint = (dataDir: string): string => welcome(URL, dataDir)[1]!.replace(/^ {2}a token: {2}TOKEN=\$\((.*)\)$/, '$1');

t.test('the token is one of the folder that this gateway runs on', (t) => {
  const command = 'npm run -s portcullis -- token --role strategy --sub you --account ACC1';
  t.equal(hint('./data'), command);
  t.equal(hint('/tmp/other'), `DATA_DIR=/tmp/other ${command}`);
  t.equal(hint("/tmp/o'ther one"), `DATA_DIR='/tmp/o'\\''ther one' ${command}`, 'what a shell would split or expand is quoted');
  t.equal(hint('$HOME'), `DATA_DIR='$HOME' ${command}`);
  t.end();
});

t.test('a start says it, and a setting that is wrong is named', async (t) => {
  const folder = await temporaryFolder();
  t.teardown(() => folder.remove());
  const { path } = folder;
  const absent = join(path, 'nope.yaml');
  /** The only line of a start that fails. */
  const refused = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const gateway = await startGatewayProcess(path, settings).catch((error: unknown) => error as Error);
    if (gateway instanceof Error) return gateway.message.split('\n').filter((line) => line.startsWith('portcullis did not start: ')).join('\n').replace('portcullis did not start: ', '');
    await gateway.stop();
    return 'it started';
  };
  t.equal(await refused({ POLICY: absent }), `POLICY ${absent}: there is no such file`);
  t.equal(await refused({ UNIVERSE: absent }), `UNIVERSE ${absent}: there is no such file`);
  t.equal(await refused({ UNIVERSE: path }), `UNIVERSE ${path}: not a regular file`);

  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => { other.close(); });
  await once(other, 'listening');
  const PORT = String((other.address() as AddressInfo).port);
  t.equal(await refused({ PORT }), `port ${PORT} of 127.0.0.1 is taken by another process; PORT=… chooses another, PORT=0 any that is free`);

  const gateway = await startGatewayProcess(path);
  t.teardown(() => gateway.stop());
  t.match(await gateway.said(/a token:/), `DATA_DIR=${path} npm run `);
});
