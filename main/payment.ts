/** What a payment's intent says of the goods. */
import type { Intent } from '../db/ledger.ts'
import { parseCanonical } from '../protocol/canonical-json.ts'
import { type Item, itemSchema } from '../protocol/item.ts'

/** @throws ProtocolError `json`: the ledger kept something else, which is a bug */
export const itemOf = (payment: Pick<Intent, 'itemJson'>): Item =>
  parseCanonical(itemSchema, Buffer.from(payment.itemJson ?? '', 'utf8'), 'intent.item')
