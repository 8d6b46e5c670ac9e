/**
 * Decisions made again from their records: the state is the fold up to the record, the facts are the record's own, the instant is its
 * `at`, and the same pure functions decide. Under the same build what comes out is what was recorded, to the last bit.
 */
import { workingChild } from '../execution/parents.ts';
import type { SliceReleased, SliceWithheld } from '../execution/records.ts';
import { findParent } from '../execution/state.ts';
import { asIfWithdrawn, supersededParents, symbolsOf } from '../execution/supersede.ts';
import { LEG_CHECKS, ORDER_CHECKS, PORTFOLIO_CHECKS } from '../risk/checks/index.ts';
import type { CheckList } from '../risk/check.ts';
import { decideOrder } from '../risk/decide.ts';
import { decideTarget } from '../risk/decide-target.ts';
import type { LegDecision, OrderCommand } from '../risk/decision.ts';
import { formatDecimal, parseDecimal, ZERO, type Decimal } from '../risk/domain/decimal.ts';
import type { OrderTerms } from '../risk/domain/order.ts';
import type { Json, LogRecord } from '../risk/domain/record.ts';
import type { TargetPortfolio } from '../risk/domain/target.ts';
import { instant } from '../risk/domain/time.ts';
import { symbolFacts, type Facts, type SymbolFactsJson } from '../risk/facts.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { Blobs } from '../risk/reducer.ts';
import type { DecisionJson, LegDecided, OrderDecided, OrderTermsJson, TargetDecided } from '../risk/records.ts';
import { packVerdicts, unpackVerdicts } from '../risk/verdicts.ts';
import { canonicalize } from './canonical.ts';
import { emptyState, fold, type State } from './fold.ts';

/** A part of a decision that came out otherwise; both as canonical JSON. */
export interface Disagreement {
  readonly seq: number;
  readonly kind: string;
  readonly part: string;
  readonly recorded: string;
  readonly replayed: string;
}

/** Feed it records in order, from an empty state or from that of a snapshot. */
export class Replayer {
  readonly state: State;
  readonly #blobs: Blobs;
  /** A target and its legs so far: they are decided together, before any of them is folded. */
  #unit: LogRecord[] = [];

  constructor(blobs: Blobs, state: State = emptyState()) {
    this.state = state;
    this.#blobs = blobs;
  }

  /** Takes the next record; gives what is now known to disagree. Errors: RangeError for what no correct log holds. */
  add(record: LogRecord): readonly Disagreement[] {
    this.#unit.push(record);
    const [first] = this.#unit;
    if (first?.kind === 'target.decided' && this.#unit.length <= (first.body as TargetDecided).legs) return [];
    const unit = this.#unit;
    this.#unit = [];
    const found = decideAgain(unit, this.state);
    for (const each of unit) fold(this.state, each, this.#blobs);
    return found;
  }
}

function decideAgain(unit: readonly LogRecord[], state: State): readonly Disagreement[] {
  const record = unit[0] as LogRecord;
  switch (record.kind) {
    case 'order.decided':
      return replayOrder(record as LogRecord<string, OrderDecided>, state);
    case 'slice.released': {
      const { facts, ...body } = record.body as SliceReleased;
      return facts === null ? [] : replaySlice(record as LogRecord<string, DecisionJson & OfParent>, { ...body, facts }, body.wantedQty ?? body.orderQty, state);
    }
    case 'slice.withheld': {
      const { judged } = record.body as SliceWithheld;
      return judged === null ? [] : replaySlice(record as LogRecord<string, DecisionJson & OfParent>, judged, judged.orderQty, state);
    }
    case 'target.decided':
      return replayTarget(record as LogRecord<string, TargetDecided>, unit.slice(1) as LogRecord<string, LegDecided>[], state);
    default:
      return [];
  }
}

function policyOf({ risk: { policy } }: State): PolicyInForce {
  if (policy === null) throw new RangeError('a decision before any policy');
  return policy;
}

/** The one venue of the policy, as the flows take it. */
const venueOf = ({ policy }: PolicyInForce): string => policy.venues[0]?.id ?? '';

function replayOrder(record: LogRecord<string, OrderDecided>, state: State): readonly Disagreement[] {
  const { body, actor } = record;
  const parent = body.amends ? findParent(state.execution, body.parent) : null;
  const original = parent === null ? null : workingChild(parent);
  if (body.amends && original === null) throw new RangeError('an amendment of an order that does not work');
  const command = {
    terms: termsOf(body), subject: actor.id, attribution: body.attribution, forecast: null, venue: original?.order.venue ?? venueOf(policyOf(state)),
    reservedQty: original?.order.orderQty ?? ZERO,
  };
  return replayed(record, command, factsOf(record, ORDER_CHECKS, body.symbol, [body], state), state);
}

type OfParent = Pick<SliceReleased, 'parent'>;

function replaySlice(
  record: LogRecord<string, DecisionJson & OfParent>, judged: OrderTermsJson & { readonly venue: string; readonly facts: SymbolFactsJson }, wantedQty: string,
  state: State,
): readonly Disagreement[] {
  const terms = termsOf(judged);
  const parent = findParent(state.execution, record.body.parent);
  if (parent === null) throw new RangeError('a slice without its parent');
  const { attribution, forecast } = parent;
  const command = { terms, subject: null, attribution, forecast, venue: judged.venue, reservedQty: parseDecimal(wantedQty) };
  return replayed(record, command, factsOf(record, ORDER_CHECKS, judged.symbol, [judged], state), state);
}

function replayed(record: LogRecord<string, DecisionJson>, command: OrderCommand<OrderTerms>, facts: Facts, { risk }: State): readonly Disagreement[] {
  const decision = decideOrder(command, risk, facts);
  const packed = packVerdicts(ORDER_CHECKS, decision.verdicts, risk.policy as PolicyInForce, command.terms.symbol);
  return differences(record, { decision: decision.decision, ...packed });
}

function replayTarget(record: LogRecord<string, TargetDecided>, legs: readonly LogRecord<string, LegDecided>[], state: State): readonly Disagreement[] {
  const policy = policyOf(state);
  const target = targetOf(record.body, legs.map(({ body }) => body));
  const facts = factsOf(record, PORTFOLIO_CHECKS, null, legs.map(({ body }) => body), state);
  const old = supersededParents(state.execution, target, symbolsOf(state.risk, target));
  const command = { target, subject: record.actor.id, venue: venueOf(policy) };
  const decision = asIfWithdrawn(state.risk, old, () => decideTarget(command, state.risk, facts));
  const whole = {
    decision: decision.decision, equity: decision.equity === null ? null : String(decision.equity), governor: decision.governor,
    legs: decision.legs.length, ...packVerdicts(PORTFOLIO_CHECKS, decision.verdicts, policy, null),
  };
  const denied = decision.decision === 'denied';
  return [...differences(record, whole), ...legs.flatMap((leg, i) => legDifferences(leg, decision.legs[i], denied, policy))];
}

function legDifferences(record: LogRecord<string, LegDecided>, leg: LegDecision | undefined, denied: boolean, policy: PolicyInForce): readonly Disagreement[] {
  if (leg === undefined) return differences(record, { decision: null });
  return differences(record, {
    allowed: formatDecimal(leg.allowed), decision: leg.outcome, deltaQty: formatDecimal(denied ? ZERO : leg.deltaQty), symbol: leg.symbol,
    ...packVerdicts(LEG_CHECKS, leg.verdicts, policy, leg.symbol),
  });
}

/** The parts of `replayed` that the record's body has otherwise. */
function differences({ seq, kind, body }: LogRecord<string, object>, replayed: object): readonly Disagreement[] {
  return Object.entries(replayed).flatMap(([part, value]) => {
    const recorded = canonicalize((body as Record<string, Json>)[part] ?? null);
    const again = canonicalize(value as Json);
    return recorded === again ? [] : [{ seq, kind, part, recorded, replayed: again }];
  });
}

interface Seen {
  readonly symbol: string;
  readonly facts: SymbolFactsJson;
}

/** The clock's step is what the check of it observed; off means that it was not known. */
function factsOf<I>({ at, body }: LogRecord<string, DecisionJson>, list: CheckList<I>, symbol: string | null, seen: readonly Seen[], state: State): Facts {
  const step = unpackVerdicts(list, body, policyOf(state), symbol).find(({ code }) => code === 'CLOCK')?.observed ?? null;
  return { now: at, clockStepBackMs: step === null ? null : Number(step), source: '', symbols: new Map(seen.map((each) => [each.symbol, symbolFacts(each.facts)])) };
}

const decimalOrNull = (text: string | null): Decimal | null => (text === null ? null : parseDecimal(text));

function termsOf({ account, strategy, symbol, side, orderQty, type, limitPx, tif, expireAt, participation }: OrderTermsJson): OrderTerms {
  return {
    account, strategy, symbol, side, type, tif, participation,
    orderQty: parseDecimal(orderQty), limitPx: decimalOrNull(limitPx), expireAt: expireAt === null ? null : instant(expireAt),
  };
}

/** The target as it was asked for: what `complete` added is found again. */
function targetOf({ targetId, account, strategy, asOf, basis, mode, scope, horizonSeconds, attribution }: TargetDecided, legs: readonly LegDecided[]): TargetPortfolio {
  return {
    targetId, account, strategy, asOf: instant(asOf), basis, mode, scope, horizonSeconds, attribution,
    legs: legs.flatMap(({ symbol, requested, mu, sigma, forecastDays }) =>
      requested === null ? [] : [{ symbol, target: parseDecimal(requested), mu, sigma, forecastDays }]),
  };
}
