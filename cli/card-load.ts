/** A load as the command makes it: what the card had paid before, and nobody was told, is said first. */
import { type Load, loadCard, tellThenLoad } from '../main/load.ts'
import { claimOf, itemOf } from '../main/payment.ts'
import type { PaidBefore } from '../main/purchase/purchase.ts'
import type { CardChannel } from '../main/reader/card-reader.ts'
import type { IssuerClient } from '../main/sync/issuer-client.ts'
import type { Terminal } from '../main/terminal.ts'
import { formatAmount } from '../protocol/currency.ts'
import { parseRecord } from '../protocol/record.ts'

/** As JSON says it; amounts in minor units. */
const paidBeforeOf = (terminal: Terminal, paid: PaidBefore) => {
  const claim = claimOf(terminal, paid)
  return {
    item: itemOf(paid.payment).id,
    amountMinor: parseRecord(paid.payment.record).order.amountMinor,
    counter: paid.payment.counter,
    goods: paid.goods,
    ...(claim === undefined ? {} : { claimUrl: claim.url }),
  }
}

const paidBeforeText = (paid: ReturnType<typeof paidBeforeOf>, currency: string): string => {
  const where =
    paid.goods === 'due'
      ? "its goods are had at this terminal with the card's next tap"
      : paid.claimUrl === undefined
        ? "its goods are had by the claim that the card's next tap here shows"
        : `its goods are had by this claim: ${paid.claimUrl}`
  return `This card's payment of ${formatAmount(paid.amountMinor, currency)} ${currency} for ${paid.item} was in doubt and has gone through; ${where}.`
}

/** Loads; a payment that was in doubt is told before any money moves, whatever becomes of the load. */
export const loadTelling = async (
  at: { readonly terminal: Terminal; readonly client: IssuerClient; readonly channel: CardChannel },
  load: Load,
  tell: (sentence: string) => void,
) => {
  const { terminal, client, channel } = at
  let told: { readonly paidBefore?: ReturnType<typeof paidBeforeOf> } = {}
  const loaded = await tellThenLoad(
    (each) => loadCard(terminal, client, channel, each),
    load,
    (paid) => {
      const paidBefore = paidBeforeOf(terminal, paid)
      told = { paidBefore }
      tell(paidBeforeText(paidBefore, terminal.identity.currency))
    },
  )
  return { ...loaded, ...told }
}
