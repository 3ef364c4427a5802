/** What a payment's intent says of the goods. */
import type { Intent } from '../db/ledger.ts'
import { parseCanonical } from '../protocol/canonical-json.ts'
import { type Item, itemSchema } from '../protocol/item.ts'
import type { Terminal } from './terminal.ts'

/** @throws ProtocolError `json`: the ledger kept something else, which is a bug */
export const itemOf = (payment: Pick<Intent, 'itemJson'>): Item =>
  parseCanonical(itemSchema, Buffer.from(payment.itemJson ?? '', 'utf8'), 'intent.item')

/** The claim of a captured payment. Undefined where no offer showed yet that no reversal follows it. */
export const claimOf = (
  terminal: Pick<Terminal, 'claimUrl'>,
  { payment, claimable }: { readonly payment: Intent; readonly claimable: boolean },
): { readonly url: string; readonly expiresTime: number } | undefined =>
  claimable && payment.settlementMac !== undefined
    ? terminal.claimUrl(payment.record, payment.settlementMac)
    : undefined
