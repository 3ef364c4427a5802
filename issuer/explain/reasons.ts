/** What each exception of an entry says, and what to do about it (PROTOCOL.md, Layouts: reason 1 to 13). */
import type { ExceptionReason } from '../../protocol/acknowledgement.ts'

export interface ExceptionAdvice {
  /** What follows "A payment:". */
  readonly sentence: string
  readonly todo: string
}

export const exceptionAdvice: Readonly<Record<ExceptionReason, ExceptionAdvice>> = {
  layout: {
    sentence: "its bytes are not laid out as an entry's",
    todo: 'Look at the terminal: its disk or its program is broken. What the entry was about comes by a tap of the card.',
  },
  terminal: {
    sentence: "it is another terminal's record, passed off as its own, or that of an unknown one",
    todo: 'Look into the terminal that sent it. If the other one was never added here, it belongs to another issuer.',
  },
  unknownCard: {
    sentence: 'this issuer has issued no such card',
    todo: 'If it is a card of yours, register it (farthing issuer card add) and let the terminal enrol again, so that it sends the entry anew; else find out who issued it.',
  },
  keyVersion: {
    sentence: 'the card has another key version',
    todo: 'Compare the version that the card was registered with to the one that it tells: one of the two is wrong, or the card is forged.',
  },
  currency: {
    sentence: 'it is in another currency',
    todo: "Look at the terminal's set-up: it sold in the currency of another book.",
  },
  settlementMac: {
    sentence: 'the card did not make it: the proof is wrong',
    todo: 'Look into the terminal, and the key version that it holds: nobody is paid for this. The card is not to blame.',
  },
  clone: {
    sentence: 'another record has this counter',
    todo: 'Block the card (farthing card block): it was copied. Decide who bears what was sold to the copy.',
  },
  balance: {
    sentence: "the balance does not follow from the card's other records, or is not covered by what was loaded",
    todo: 'Bring what is missing beside it. If the card lied, block it, and decide whether the merchant is paid all the same.',
  },
  itemOrPrice: {
    sentence: 'no such item was published at this price',
    todo: "Look at the terminal's catalogue. If the sale was in good faith, pay the merchant; else credit the customer.",
  },
  reversal: {
    sentence: 'it does not undo the payment before it',
    todo: 'Look into the terminal: it gave money back without the right to. Charge its merchant.',
  },
  load: {
    sentence: 'no such load was authorised',
    todo: 'Look into the terminal and the load key: the card has money that nobody gave. Charge the merchant if he took the cash.',
  },
  status: {
    sentence: 'what the terminal says of it does not fit the record; it moves no money',
    todo: 'Look at the terminal: its program is broken. The record itself is settled.',
  },
  limit: {
    sentence: 'it is more than a sale may cost',
    todo: "Look at the terminal's bulletin, which has the limit. If the sale was in good faith, pay the merchant.",
  },
}
