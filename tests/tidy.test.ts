/** The house rules that a machine can see (DESIGN: arrows, no cycles, a pure core, small functions and files). */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROOMS = ['risk', 'execution', 'compliance', 'gateway', 'migrations', 'tests'] as const;
type Room = (typeof ROOMS)[number];

/** What each room may import; itself always. */
const ARROWS: Record<Room, readonly Room[]> = {
  risk: [],
  execution: ['risk'],
  compliance: ['risk', 'execution'],
  migrations: [],
  gateway: ['risk', 'execution', 'compliance', 'migrations'],
  tests: ['risk', 'execution', 'compliance', 'gateway', 'migrations'],
};

/** The thin rim: files and folders that do I/O. Everything else in risk, execution and compliance is core. */
const RIM = [
  'execution/markets/', 'execution/timers/', 'execution/venues/paper/client.ts', 'execution/venues/paper/journal.ts', 'execution/venues/paper/server.ts',
  'execution/venues/paper/session.ts', 'execution/venues/paper/spawn.ts', 'execution/venues/paper/who.ts', 'compliance/behind.ts', 'compliance/committer.ts', 'compliance/copy.ts',
  'compliance/emergency.ts', 'compliance/journal.ts', 'compliance/lane.ts', 'compliance/recover.ts', 'compliance/sequencer.ts', 'compliance/snapshot-worker.ts', 'compliance/snapshots.ts',
  'compliance/store.ts', 'compliance/tables.ts', 'compliance/verify.ts', 'compliance/verify-worker.ts',
];
const BANNED: readonly { readonly what: RegExp; readonly name: string }[] = [
  { what: /\basync\b/, name: 'async' }, { what: /\bDate\.now\b|new Date\(\)/, name: 'the clock' }, { what: /Math\.random/, name: 'Math.random' },
  { what: /\bprocess\./, name: 'process' }, { what: /from 'node:(?!crypto')/, name: 'node:' },
];
const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 300;
/** Tests hold tables, whose rows may be wider. */
const columnsMax = (path: string): number => (roomOf(path) === 'tests' ? 250 : 170);

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly to: string; readonly typeOnly: boolean }[];
}

const sources: readonly Source[] = ROOMS.flatMap((room) => filesBelow(room)).filter((path) => path.endsWith('.ts')).map(read);

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\s(type\s)?[^;]*?from '(\.[^']*)';/gms)].map((match) => ({
    to: normalize(join(dirname(path), match[2] as string)), typeOnly: match[1] !== undefined,
  }));
  return { path, text, imports };
}

const roomOf = (path: string): Room => path.split('/')[0] as Room;
const isCore = (path: string): boolean => ['risk', 'execution', 'compliance'].includes(roomOf(path)) && !RIM.some((rim) => path.startsWith(rim));
const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/.*$/gm, '');

t.test('imports run one way', (t) => {
  for (const { path, imports } of sources) {
    for (const { to } of imports) {
      const allowed = roomOf(to) === roomOf(path) || ARROWS[roomOf(path)].includes(roomOf(to));
      if (!allowed) t.fail(`${path} imports ${to}`);
    }
  }
  t.pass('arrows hold');
  t.end();
});

t.test('no cycles at run time', (t) => {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports.filter((i) => !i.typeOnly).map((i) => i.to)]));
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) t.fail(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
    else if (!done.has(path)) {
      for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
      done.add(path);
    }
  };
  for (const path of edges.keys()) walk(path, []);
  t.ok(done.size > 20);
  t.end();
});

t.test('the core is pure', (t) => {
  for (const { path, text } of sources.filter((source) => isCore(source.path))) {
    for (const { what, name } of BANNED) if (what.test(code(text))) t.fail(`${path} uses ${name}`);
  }
  t.pass('no clock, no chance, no I/O');
  t.end();
});

t.test('proofs are made in one place each', (t) => {
  const makers = [{ cast: /as Approved</, maker: 'risk/decide.ts' }, { cast: /[})] as Receipt\b|as unknown as Receipt\b/, maker: 'compliance/sequencer' }];
  for (const { path, text } of sources.filter((source) => roomOf(source.path) !== 'tests')) {
    for (const { cast, maker } of makers) if (cast.test(text) && !path.startsWith(maker)) t.fail(`${path} makes a proof that only ${maker} may make`);
  }
  for (const { cast, maker } of makers) t.ok(sources.some(({ path, text }) => path.startsWith(maker) && cast.test(text)), `${maker} is seen to make it`);
  t.pass('Approved and Receipt');
  t.end();
});

t.test('nothing unfinished, nothing muzzled', (t) => {
  const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'ts-' + 'ignore', 'ts-' + 'expect-error', 'catch \\{\\s*\\}'].join('|'));
  for (const { path, text } of sources) if (marks.test(text)) t.fail(path);
  t.pass('clean');
  t.end();
});

t.test('functions and files are small', (t) => {
  for (const { path, text } of sources) {
    const lines = text.split('\n');
    if (lines.length - 1 > FILE_LINES_MAX && roomOf(path) !== 'tests') t.fail(`${path} has ${String(lines.length - 1)} lines`);
    lines.forEach((line, i) => { if (line.length > columnsMax(path)) t.fail(`${path}:${String(i + 1)} is ${String(line.length)} wide`); });
    if (roomOf(path) !== 'tests') for (const long of longFunctions(path, text)) t.fail(long);
  }
  t.pass('small');
  t.end();
});

function longFunctions(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const long: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const from = file.getLineAndCharacterOfPosition(node.getStart()).line;
      const lines = file.getLineAndCharacterOfPosition(node.end).line - from + 1;
      if (lines > FUNCTION_LINES_MAX) long.push(`${path}:${String(from + 1)} is a function of ${String(lines)} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return long;
}
