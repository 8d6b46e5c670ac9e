import type { Static } from 'typebox';
import type { Attribution } from '../../../risk/domain/order.ts';
import type { Attribution as AttributionSchema } from './common.ts';

type AttributionBody = Static<typeof AttributionSchema>;

/** A field that is absent becomes empty, and the check ATTRIBUTION denies the empty one: an override replaces the registration as a whole. */
export function toAttribution(body: AttributionBody | undefined): Attribution | null {
  if (body === undefined) return null;
  const { algorithmId = '', trader = '', desk = '', client = '' } = body;
  // An empty capacity is none of the three: the check sees that it is missing.
  const capacity = (body.capacity ?? '') as Attribution['capacity'];
  return { algorithmId, capacity, client, desk, trader };
}

/** The inverse: empty fields are absent again. */
export function fromAttribution(attribution: Attribution | null): AttributionBody | undefined {
  if (attribution === null) return undefined;
  const present = Object.entries(attribution).filter(([, value]) => value !== '');
  return Object.fromEntries(present);
}
