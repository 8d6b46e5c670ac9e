/** A process of its own for the cluster's tests: starts PostgreSQL on argv[2], prints a line of JSON, then stops it or dies at once. */
import pg from 'pg';
import { startPostgres } from '../../../gateway/postgres/cluster.ts';

const [, , dataDir, end] = process.argv;
const cluster = await startPostgres({ dataDir: dataDir!, log: (line) => { console.error(line); } });
const client = new pg.Client(cluster.connection);
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS visits (n int); INSERT INTO visits VALUES (1)');
const { rows } = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM visits');
console.log(JSON.stringify({ adopted: cluster.adopted, visits: rows[0]!.n }));
if (end === 'die') process.kill(process.pid, 'SIGKILL');
await client.end();
await cluster.stop();
