/** A walk through the API of a real gateway: people of each role, and every answer held against the OpenAPI document. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord, Role } from '../../risk/domain/record.ts';
import { Contract, type OpenApi } from '../doubles/contract.ts';
import { ROOT, startGatewayProcess, temporaryFolder, type Reply, type TestGateway } from '../doubles/gateway.ts';
import type { Client, Message } from '../doubles/stream.ts';

/** Who walks: `sub`, role and accounts of their tokens. */
const PEOPLE = {
  alice: { role: 'strategy', accounts: ['ACC1'] },
  bob: { role: 'strategy', accounts: ['ACC2'] },
  both: { role: 'strategy', accounts: ['ACC1', 'ACC2'] },
  olga: { role: 'risk_officer', accounts: [] },
  peter: { role: 'risk_officer', accounts: [] },
  carla: { role: 'compliance', accounts: [] },
  rita: { role: 'regulator', accounts: [] },
  adam: { role: 'admin', accounts: [] },
  lena: { role: 'risk_officer', accounts: ['ACC2'] },
  lars: { role: 'regulator', accounts: ['ACC2'] },
} as const satisfies Record<string, { readonly role: Role; readonly accounts: readonly string[] }>;
export type Person = keyof typeof PEOPLE;

/** What the walk needs of a test. */
interface Test {
  equal(found: unknown, wanted: unknown, ...message: unknown[]): boolean;
  teardown(run: () => unknown): void;
}

export interface Walk {
  readonly gateway: TestGateway;
  readonly contract: Contract;
  token(person: Person): Promise<string>;
  /** Calls as this person (null: nobody), and holds the answer against the document. */
  as(person: Person | null, method: string, path: string, body?: unknown): Promise<Reply & { readonly body: Body }>;
  /** The text of a text/plain answer. */
  text(person: Person | null, path: string): Promise<string>;
  socket(person: Person): Promise<Client>;
  /** A socket that hears these channels from the first record on. */
  hears(person: Person, ...channels: readonly string[]): Promise<Client>;
  /** The gateway's clock. */
  now(): Promise<string>;
}
type Text =
  | 'account' | 'approvalId' | 'arrivalPx' | 'canonical' | 'clOrdId' | 'code' | 'decision' | 'deltaQty' | 'hash' | 'headroom' | 'id' | 'leavesQty' | 'limit' | 'log'
  | 'observed' | 'outcome' | 'parent' | 'previous' | 'qty' | 'reason' | 'referencePx' | 'state' | 'symbol' | 'targetId' | 'utilisation';
type Part = 'cancels' | 'policy' | 'receipt' | 'scope' | 'shortfall';
type List = 'items' | 'legs' | 'parents' | 'verdicts';
/** Members of answers and of records' bodies by the names of API.md. Each has some of them; what is absent reads as undefined, and no test expects that. */
export interface Body extends Readonly<Record<Text, string>>, Readonly<Record<Part, BodyPart>>, Readonly<Record<List, readonly Body[]>> {
  readonly hashes: readonly string[];
  readonly next: number | null;
  readonly seq: number;
  readonly size: number;
}
/** As an interface, so that it may contain itself. */
export type BodyPart = Pick<Body, Text | 'seq'>;

/** The default policy with a second account, ACC2, and its strategy beta-1. */
export async function policyWithTwoAccounts(folder: string): Promise<string> {
  const text = await readFile(join(ROOT, 'policies/default.yaml'), 'utf8');
  const account = '  - { id: ACC1, currency: USD, openingCash: "1000000" }\n';
  const path = join(folder, 'policy.yaml');
  const strategies = 'strategies:\n';
  const beta = '  - { id: beta-1, account: ACC2, subjects: any, attribution: { algorithmId: ALGO0003, trader: TRADER2, desk: DESK2, client: CLIENT2, capacity: DEAL } }\n';
  const second = text.replace(account, account + account.replace('ACC1', 'ACC2')).replace(strategies, strategies + beta);
  await writeFile(path, second);
  return path;
}

export async function startWalk(t: Test, settings: Readonly<Record<string, string>> = {}): Promise<Walk> {
  const folder = await temporaryFolder();
  t.teardown(() => folder.remove());
  const gateway = await startGatewayProcess(folder.path, { POLICY: await policyWithTwoAccounts(folder.path), ...settings });
  t.teardown(async () => {
    const code = await gateway.stop();
    const defects = gateway.lines.filter((line) => line.includes('defect'));
    if (code !== 0 || defects.length > 0) throw new Error(`the gateway ended with ${String(code)}: ${defects.join('\n')}`);
  });
  const contract = new Contract((await gateway.call(null, 'GET', '/openapi.json')).body as OpenApi);
  const token = (person: Person): Promise<string> => gateway.token(PEOPLE[person].role, { sub: person, accounts: PEOPLE[person].accounts });
  const walk: Walk = {
    gateway, contract, token,
    async as(person, method, path, body) {
      const reply = await gateway.call(person === null ? null : await token(person), method, path, body);
      t.equal(contract.fault(method, path, reply.status, reply.headers.get('content-type') ?? '', reply.body), null, `${method} ${path} is as documented`);
      return reply as Reply & { readonly body: Body };
    },
    async text(person, path) {
      const { body } = (await walk.as(person, 'GET', path)) as { readonly body: unknown };
      return typeof body === 'string' ? body : '';
    },
    socket: async (person) => gateway.socket(await token(person)),
    async hears(person, ...channels) {
      const client = await walk.socket(person);
      await client.ask({ id: 'hears', op: 'subscribe', channels, after: -1 });
      return client;
    },
    now: async () => ((await gateway.call(null, 'GET', '/health/ready')).body as { now: string }).now,
  };
  return walk;
}

/** The record in an event of a stream. */
export const recordIn = (message: Message): LogRecord<string, Body> => message['record'] as LogRecord<string, Body>;

/** Resolves with the event of this kind about this parent. */
export const heard = (client: Client, kind: string, parent: string): Promise<Message> =>
  client.next((message) => message['kind'] === kind && recordIn(message).body.parent === parent);

/** Resolves once the order that works this parent has ended: filled to its last unit, or not. The socket hears `orders`. */
export const ended = (client: Client, parent: string): Promise<Message> =>
  client.next((message) => {
    const { kind, body } = recordIn(message) as LogRecord<string, Body> | undefined ?? { kind: '', body: {} };
    return body.parent === parent && (kind === 'order.filled' ? body.leavesQty === '0' : ['order.canceled', 'order.expired', 'order.rejected'].includes(kind));
  });

export const targetOf = (members: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  account: 'ACC1', strategy: 'alpha-1', basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: 5, ...members,
});
export const orderOf = (members: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  account: 'ACC1', strategy: 'alpha-2', symbol: 'IBM', side: 'buy', orderQty: '10', type: 'market', tif: 'day', ...members,
});

/** The names of an object's members, in order of the alphabet. */
export const names = (value: object): string[] => Object.keys(value).sort();
