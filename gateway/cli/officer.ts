/** `portcullis kill | release | approve`: what a risk officer does from a shell, over the same API as everybody. */
import { Command } from 'commander';

interface Remote {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}
interface Scoped extends Remote {
  readonly scope: string;
  readonly reason: string;
}
type Environment = Readonly<Record<string, string | undefined>>;
type Print = (line: string) => void;

function remote(name: string, description: string): Command {
  return new Command(name).description(description)
    .option('--url <url>', 'the gateway', `http://127.0.0.1:${process.env['PORT'] ?? '8080'}`)
    .option('--token <token>', 'a token of a risk officer; else PORTCULLIS_TOKEN')
    .option('--json', 'the whole answer')
    .requiredOption('--reason <reason>', 'why: it stands in the log');
}

const withScope = (command: Command): Command =>
  command.option('--scope <kind:id>', 'firm, or venue|account|strategy|trader|instrument:ID', 'firm');

/** `firm`, or `account:ACC1`. */
function scopeOf(text: string): { kind: string; id: string } {
  const [kind = '', ...id] = text.split(':');
  return { kind, id: kind === 'firm' && id.length === 0 ? '*' : id.join(':') };
}

async function post(environment: Environment, { url, token }: Remote, path: string, body: unknown): Promise<Record<string, unknown>> {
  const shown = token ?? environment['PORTCULLIS_TOKEN'];
  if (shown === undefined) throw new Error('a token is needed: --token, or PORTCULLIS_TOKEN');
  const answer = await fetch(new URL(path, url), {
    method: 'POST', redirect: 'error', headers: { authorization: `Bearer ${shown}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const said = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`${String(said['code'])}: ${String(said['detail'])}`);
  return said;
}

const say = (print: Print, { json }: Remote, answer: Record<string, unknown>, sentence: string): void => { print(json === true ? JSON.stringify(answer) : sentence); };

export function officerCommands(environment: Environment, print: Print): readonly Command[] {
  return [
    withScope(remote('kill', 'halt a scope and cancel what works in it')).action(async (options: Scoped) => {
      const body = { scope: scopeOf(options.scope), state: 'halted', cancel: 'working', reason: options.reason };
      const answer = await post(environment, options, '/v1/switches', body);
      const { requested } = answer['cancels'] as { requested: number };
      say(print, options, answer, `${options.scope} is halted; ${String(requested)} cancels were handed to their venues`);
    }),
    withScope(remote('release', 'ask to release a scope; a second person approves')).action(async (options: Scoped) => {
      const answer = await post(environment, options, '/v1/switches/release', { scope: scopeOf(options.scope), reason: options.reason });
      const id = String(answer['approvalId']);
      say(print, options, answer, `approval ${id} waits for a second person: npm run -s portcullis -- approve ${id} --reason "…"`);
    }),
    remote('approve', 'approve, as the second person, what another has asked for').argument('<id>').option('--refuse', 'refuse it instead')
      .action(async (id: string, options: Remote & { readonly reason: string; readonly refuse?: boolean }) => {
        const answer = await post(environment, options, `/v1/approvals/${encodeURIComponent(id)}`, { approve: options.refuse !== true, reason: options.reason });
        say(print, options, answer, `approval ${id} is ${String(answer['state'])}`);
      }),
  ];
}
