/** A card of the fleet: the production purse in memory. */
import { openPurse, type Purse } from '../card/purse.ts'
import { type CardState, newCardState } from '../card/purse-state.ts'
import type { Masters } from '../issuer/issuer-keys.ts'
import { fromHex } from '../protocol/bytes.ts'
import { currencyOf } from '../protocol/currency.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../protocol/keys.ts'
import { amountMinor, type CardId, cardId, unixTime } from '../protocol/quantities.ts'
import { type Chance, chanceOf } from './chance.ts'
import type { CardBody } from './fault-channel.ts'
import { daySeconds } from './workload.ts'

export interface SimCard extends CardBody {
  readonly id: CardId
  readonly state: CardState
}

/** Who makes cards, and from when on they are good. */
export interface SimCardSource {
  readonly seed: number
  readonly masters: Masters
  readonly startTime: number
}

/** One in ten expires during the run; one in ten asks for a PIN soon. */
const termsOf = (chance: Chance, startTime: number) => ({
  expiry: unixTime(startTime + (chance.hit(0.1) ? daySeconds * (2 + chance.below(20)) : daySeconds * 3000)),
  pinFreeMaxMinor: amountMinor(chance.hit(0.1) ? 2000 : 0xffffffff),
})

/** A card as it leaves the issuer's desk. @param idText 16 hex digits */
export const makeState = (idText: string, from: SimCardSource, chance: Chance): CardState => {
  const id = cardId(idText)
  const key = (derive: typeof derivePayKey, master: string) => derive(fromHex(master, 32), 1, id)
  return newCardState({
    keyVersion: 1,
    cardId: id,
    currency: currencyOf('EUR').code,
    balanceMaxMinor: amountMinor(10_000),
    pinTriesMax: 3,
    pin: '1234',
    payKey: key(derivePayKey, from.masters.pay),
    settleKey: key(deriveSettleKey, from.masters.settle),
    loadKey: key(deriveLoadKey, from.masters.load),
    ...termsOf(chance, from.startTime),
  })
}

export const makeCard = (index: number, from: SimCardSource): SimCard => {
  const chance = chanceOf(from.seed, 'card', index)
  const state = makeState(`ca4d${index.toString(16).padStart(12, '0')}`, from, chance)
  const purse: Purse = openPurse({ state, save: () => undefined, randomBytes: (length) => chance.bytes(length) })
  return {
    id: state.cardId,
    get state() {
      if (purse.state.kind === 'blank') throw new Error('a card of the fleet is personalised')
      return purse.state
    },
    reset: () => purse.reset(),
    answers: (command) => purse.process(command),
  }
}
