/** Loosening a switch takes two persons, and binds to what was asked. */
import t from 'tap';
import { answerApproval, requestRelease, type ApprovalAnswer, type Officer } from '../../../gateway/flows/release-switch.ts';
import type { House } from '../../../gateway/house.ts';
import type { Scope, SwitchState } from '../../../risk/records.ts';
import { policyOf } from '../../doubles/house.ts';
import { flip, houseFor } from './asks.ts';

const officer = (id: string, person = `issuer ${id.toLowerCase()}`): Officer => ({ actor: { id, role: 'risk_officer' }, person });
const OLGA = officer('olga');
const PAUL = officer('paul');
const FIRM: Scope = { id: '*', kind: 'firm' };

async function ask(house: House, to: SwitchState = 'active', scope = FIRM, who = OLGA): Promise<string> {
  const answer = await requestRelease(house, who, { reason: 'over', scope, to });
  if (answer.outcome !== 'requested') throw new Error(answer.outcome);
  return answer.approvalId;
}
const answer = (house: House, who: Officer, id: string, approve = true): Promise<ApprovalAnswer> => answerApproval(house, who, id, { approve, reason: 'seen' });
const firm = (house: House): string => house.state.risk.switches.get('firm:*')?.state ?? 'active';

t.test('two persons release', async (t) => {
  const { house, all } = await houseFor(t);
  await flip(house);
  const id = await ask(house);
  t.equal(firm(house), 'halted', 'asking releases nothing');
  t.match(await answer(house, PAUL, id), { outcome: 'given' });
  t.equal(firm(house), 'active');
  t.match(all('switch.flipped').at(-1), { approval: id, engagement: 1, previous: 'halted', state: 'active' });
  t.match(await answer(house, PAUL, id), { outcome: 'void' }, 'once');
});

t.test('one person does not, whatever the token', async (t) => {
  const { house, all } = await houseFor(t);
  await flip(house);
  const id = await ask(house);
  t.strictSame(await answer(house, OLGA, id), { outcome: 'same-person' });
  t.strictSame(await answer(house, officer('OLGA'), id), { outcome: 'same-person' }, 'another case of the name');
  t.equal(firm(house), 'halted');
  t.match(all('access.denied'), Array(2).fill({ code: 'SAME_PERSON', route: `/v1/approvals/${id}` }));
});

t.test('an answer that comes too late, or to something else', async (t) => {
  await t.test('expired', async (t) => {
    const { house, time, all } = await houseFor(t);
    await flip(house);
    const id = await ask(house);
    await time.advance(30 * 60_000 + 1);
    t.strictSame(await answer(house, PAUL, id), { outcome: 'expired' });
    t.match(all('access.denied'), [{ code: 'EXPIRED', route: `/v1/approvals/${id}` }], 'the attempt is recorded');
    t.equal(firm(house), 'halted');
  });
  await t.test('at the last instant it still counts', async (t) => {
    const { house, time } = await houseFor(t);
    await flip(house);
    const id = await ask(house);
    await time.advance(30 * 60_000);
    t.match(await answer(house, PAUL, id), { outcome: 'given' });
  });
  await t.test('a newer engagement voids it', async (t) => {
    const { house } = await houseFor(t);
    await flip(house, { state: 'reducing' });
    const id = await ask(house);
    await flip(house, { state: 'halted' });
    t.strictSame(await answer(house, PAUL, id), { outcome: 'void' });
    t.equal(firm(house), 'halted');
  });
  await t.test('a flip of another scope does not', async (t) => {
    const { house } = await houseFor(t);
    await flip(house);
    const id = await ask(house);
    await flip(house, { scope: { id: 'IBM', kind: 'instrument' } });
    t.match(await answer(house, PAUL, id), { outcome: 'given' });
    t.match(house.state.risk.switches.get('instrument:IBM'), { state: 'halted' });
  });
  await t.test('unknown', async (t) => {
    const { house } = await houseFor(t);
    t.strictSame(await answer(house, PAUL, 'NONE'), { outcome: 'unknown' });
  });
});

t.test('of two requests and two answers at once, one wins', async (t) => {
  const { house, all } = await houseFor(t);
  await flip(house);
  const one = await ask(house);
  const two = await ask(house, 'active', FIRM, PAUL);
  const answers = await Promise.all([answer(house, PAUL, one), answer(house, officer('quin'), one, false), answer(house, OLGA, two)]);
  t.strictSame(answers.map(({ outcome }) => outcome), ['given', 'void', 'void']);
  t.equal(all('switch.flipped').length, 2);
});

t.test('a refusal is final', async (t) => {
  const { house } = await houseFor(t);
  await flip(house);
  const id = await ask(house);
  t.match(await answer(house, PAUL, id, false), { outcome: 'refused' });
  t.strictSame(await answer(house, officer('quin'), id), { outcome: 'void' });
  t.equal(firm(house), 'halted');
});

t.test('halted to reducing is loosening; the other way is no release', async (t) => {
  const { house } = await houseFor(t);
  await flip(house);
  t.strictSame(await flip(house, { state: 'reducing' }), { outcome: 'loosens' });
  t.match(await answer(house, PAUL, await ask(house, 'reducing')), { outcome: 'given' });
  t.equal(firm(house), 'reducing');
  t.strictSame(await requestRelease(house, OLGA, { reason: 'x', scope: FIRM, to: 'halted' }), { outcome: 'nothing-to-release' });
  t.strictSame(await requestRelease(house, OLGA, { reason: 'x', scope: FIRM, to: 'reducing' }), { outcome: 'nothing-to-release' });
  t.match(await answer(house, PAUL, await ask(house)), { outcome: 'given' });
  t.strictSame(await requestRelease(house, OLGA, { reason: 'x', scope: FIRM, to: 'active' }), { outcome: 'nothing-to-release' });
  t.strictSame(await requestRelease(house, OLGA, { reason: 'x', scope: { id: 'IBM', kind: 'instrument' }, to: 'active' }), { outcome: 'nothing-to-release' });
});

t.test('the next halt after a release is a new engagement', async (t) => {
  const { house } = await houseFor(t);
  await flip(house);
  await answer(house, PAUL, await ask(house));
  t.match(await flip(house), { outcome: 'flipped', flipped: { engagement: 2, previous: 'active' } });
});

t.test('what is closed is forgotten a day after it would have expired', async (t) => {
  const { house, time } = await houseFor(t);
  await flip(house);
  for (let i = 0; i < 5; i++) await ask(house);
  t.equal(house.state.compliance.approvals.size, 5);
  await time.advance(25 * 3_600_000);
  const last = await ask(house);
  t.strictSame([...house.state.compliance.approvals.keys()], [last]);
});

t.test('break-glass: one person alone where the policy arms it, with an alert; never to refuse or elsewhere', async (t) => {
  const { house, all } = await houseFor(t, { policy: policyOf({}, { breakGlass: true }) });
  await flip(house);
  const id = await ask(house);
  t.strictSame(await answer(house, OLGA, id, false), { outcome: 'same-person' });
  t.match(await answer(house, OLGA, id), { outcome: 'given' });
  t.equal(firm(house), 'active');
  t.match(all('alert.raised'), [{ code: 'BREAK_GLASS' }]);
});

t.test('nobody releases the firm while the kill file is there', async (t) => {
  const { house } = await houseFor(t);
  await flip(house);
  const id = await ask(house);
  t.strictSame(await answer({ ...house, killed: () => 'DATA_DIR/KILL exists' }, PAUL, id), { outcome: 'killed' });
  t.equal(firm(house), 'halted');
  t.match(await answer(house, PAUL, id), { outcome: 'given' });
});
