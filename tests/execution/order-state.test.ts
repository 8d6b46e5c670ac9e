import t from 'tap';
import { isOpen, ORDER_EVENTS, transition } from '../../execution/order-state.ts';
import { ORDER_STATES } from '../../risk/domain/order.ts';
import type { OrderEvent } from '../../execution/order-state.ts';
import type { OrderState } from '../../risk/domain/order.ts';

const walk = (...events: OrderEvent[]): OrderState => {
  let state: OrderState = 'pending';
  let anyFilled = false;
  for (const event of events) {
    anyFilled ||= event === 'filled' || event === 'partiallyFilled';
    state = transition(state, event, anyFilled).state;
  }
  return state;
};

t.test('the lives of an order', (t) => {
  t.equal(walk('acknowledged', 'partiallyFilled', 'filled'), 'filled');
  t.equal(walk('filled', 'acknowledged'), 'filled', 'a late acknowledgement');
  t.equal(walk('acknowledged', 'cancelRequested', 'partiallyFilled', 'canceled'), 'canceled');
  t.equal(walk('acknowledged', 'canceled', 'partiallyFilled'), 'canceled', 'a fill that crossed the cancel counts; the order stays canceled');
  t.equal(walk('acknowledged', 'canceled', 'filled'), 'filled');
  t.equal(walk('acknowledged', 'cancelRequested', 'cancelRejected'), 'new');
  t.equal(walk('partiallyFilled', 'cancelRequested', 'cancelRejected'), 'partially_filled');
  t.equal(walk('lost', 'acknowledged'), 'new');
  t.equal(walk('partiallyFilled', 'lost', 'acknowledged'), 'partially_filled');
  t.equal(walk('lost', 'rejected'), 'rejected', 'the venue never saw it');
  t.equal(walk('withheld'), 'denied');
  t.equal(walk('acknowledged', 'replaced'), 'replaced');
  t.equal(walk('filled', 'lost'), 'filled', 'what is over is not lost');
  t.end();
});

t.test('what cannot be is said, and changes nothing', (t) => {
  const impossible = (state: OrderState, event: OrderEvent): void => {
    t.same(transition(state, event, true), { state, possible: false }, `${event} of a ${state} order`);
  };
  impossible('filled', 'filled');
  impossible('filled', 'canceled');
  impossible('rejected', 'filled');
  impossible('denied', 'acknowledged');
  impossible('new', 'rejected');
  impossible('new', 'withheld');
  impossible('canceled', 'replaced');
  t.end();
});

t.test('an order that is over never opens again, and no event loses a fill', (t) => {
  for (const state of ORDER_STATES) {
    for (const event of ORDER_EVENTS) {
      const next = transition(state, event, true);
      if (!isOpen(state)) t.notOk(isOpen(next.state), `${state} ${event}`);
      if (!next.possible) t.equal(next.state, state);
      if (state === 'filled') t.equal(next.state, 'filled');
    }
  }
  t.end();
});

t.test('what we withheld was never sent, whatever the venue has said of its cancel', (t) => {
  t.equal(walk('cancelRequested', 'lost', 'withheld'), 'denied');
  t.equal(walk('cancelRequested', 'lost', 'rejected'), 'rejected', 'the venue never saw it');
  t.end();
});
