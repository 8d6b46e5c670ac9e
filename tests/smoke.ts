/** What a newcomer sees after `npm start`: the gateway with its demonstration, on a bare machine. The last step of `.ci/run`; exit status 0 only when all passed. */
import { startGatewayProcess, temporaryFolder } from './doubles/gateway.ts';

const DEADLINE_MS = 30_000;

const steps: readonly { readonly name: string; readonly found: RegExp }[] = [
  { name: 'a target is decided', found: /^demo: target \S+: (?:accepted|clipped)/ },
  { name: 'fills, with what they cost', found: /^demo: .*filled .*[1-9]\d*(?:\.\d+)?\/\d+(?:\.\d+)? at -?\d+\.\d bps/ },
  { name: 'the log is verified', found: /^demo: .*log verified: [1-9]\d* records, head [0-9a-f]{12}/ },
];

let passed = 0;
let failed = 0;

function report(name: string, fault: string | null): void {
  if (fault === null) passed++;
  else failed++;
  console.log(`${fault === null ? 'ok' : 'FAILED'}: ${name}${fault === null ? '' : `: ${fault}`}`);
}

/** Waits for the line, but not past the deadline of the whole run. */
async function within<T>(awaited: Promise<T>, late: Promise<never>): Promise<T> {
  return Promise.race([awaited, late]);
}

async function run(): Promise<void> {
  const folder = await temporaryFolder();
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => { reject(new Error(`not within ${String(DEADLINE_MS / 1000)} s`)); }, DEADLINE_MS);
  });
  late.catch(() => undefined); // it is told to whoever waits
  const gateway = await startGatewayProcess(folder.path, { DEMO: 'on' });
  try {
    report('the gateway starts and says where it is', null);
    for (const { name, found } of steps) await within(gateway.said(found), late).then(() => { report(name, null); }, (error: unknown) => { report(name, String(error)); });
    const { status, body } = await gateway.call(null, 'GET', '/health/ready');
    report('/health/ready says ready', status === 200 && (body as { ready: boolean }).ready ? null : `${String(status)} ${JSON.stringify(body)}`);
    report('nothing went wrong inside', gateway.lines.find((line) => line.includes('defect')) ?? null);
  } finally {
    clearTimeout(timeout);
    const code = await gateway.stop();
    report('SIGTERM ends it with status 0', code === 0 ? null : `status ${String(code)}`);
    await folder.remove();
  }
}

run().catch((error: unknown) => { report('the gateway starts', String(error)); }).finally(() => {
  console.log(`smoke: ${String(passed)} passed, ${String(failed)} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});
