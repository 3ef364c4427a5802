/** A terminal and an issuer in one, without their caution: drives a purse in tests and benches. */
import {
  commitCommand,
  type InitiateAnswer,
  initiateCommand,
  parseInitiateAnswer,
  parseResponse,
  type ResponseApdu,
  readRecordCommand,
  selectCommand,
  statusWord,
  verifyPinCommand,
} from '../protocol/apdu.ts'
import { type CardInfo, parseSelectAnswer } from '../protocol/card-info.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../protocol/keys.ts'
import { commitBlockMac, commitLoadMac, commitMac, macKey, pinMac, readMac, shortHashOf } from '../protocol/mac.ts'
import { encodeOrder, type Order } from '../protocol/order.ts'
import type { Personalisation } from '../protocol/personalise.ts'
import {
  amountMinor,
  cardId,
  counter,
  currencyCode,
  type Mac,
  terminalId,
  unixTime,
  zeroHash,
  zeroMac,
} from '../protocol/quantities.ts'

/** Loudly unsafe: everybody knows them. */
export const sampleMasters = {
  pay: Uint8Array.from({ length: 32 }, (_, i) => i),
  settle: Uint8Array.from({ length: 32 }, (_, i) => 0x20 + i),
  load: Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i),
} as const

/** A card in euros under the sample masters; 25.00 without a PIN, PIN 1234, three tries. */
export const samplePersonalisation = (changes: Partial<Personalisation> = {}): Personalisation => {
  const { keyVersion = 1, cardId: id = cardId('c0ffee0000000001') } = changes
  return {
    keyVersion,
    cardId: id,
    currency: currencyCode(978),
    expiry: unixTime(4_102_444_800),
    balanceMaxMinor: amountMinor(20_000),
    pinFreeMaxMinor: amountMinor(2500),
    pinTriesMax: 3,
    pin: '1234',
    payKey: derivePayKey(sampleMasters.pay, keyVersion, id),
    settleKey: deriveSettleKey(sampleMasters.settle, keyVersion, id),
    loadKey: deriveLoadKey(sampleMasters.load, keyVersion, id),
    ...changes,
  }
}

/** The secret of every sample payment. */
export const sampleSecret = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)

const sampleItemHash = shortHashOf(Uint8Array.of(1, 2, 3))

/** Well-formed for its type; 2.50 where there is an amount. A reversal undoes the sample payment of counter `reference`. */
export const sampleOrder = (type: Order['type'], changes: Partial<Order> = {}): Order => {
  const hasAmount = type === 'payment' || type === 'load' || type === 'reversal'
  const hasItem = type === 'payment' || type === 'reversal'
  const locks = { reversal: sampleSecret, block: zeroHash() }
  return {
    type,
    currency: currencyCode(978),
    amountMinor: amountMinor(hasAmount ? 250 : 0),
    reference: counter(0),
    terminalId: terminalId('7465726d30303031'),
    terminalSeq: 7,
    time: unixTime(1_800_000_000),
    itemHash: hasItem ? sampleItemHash : zeroHash(),
    lock: type === 'reversal' || type === 'block' ? locks[type] : shortHashOf(sampleSecret),
    ...changes,
  }
}

export interface PurseDriver {
  readonly commands: {
    /** The right COMMIT for the last offer; with a MAC of zeros when there was none. */
    commit(): Uint8Array
    /** The right VERIFY for the last offer, if these are the right digits. */
    verifyPin(digits: string): Uint8Array
    /** The right READ RECORD after the last SELECT. */
    readRecord(recordNumber: number): Uint8Array
  }
  send(command: Uint8Array): ResponseApdu
  select(): CardInfo
  /** Remembers the offer, for `commands`. */
  initiate(order: Order | Uint8Array): ResponseApdu
  /** INITIATE, VERIFY if there is a PIN, COMMIT: the last status word. */
  transact(order: Order, pin?: string): number
}

/** @param transmit carries one command APDU to the card and its response back */
export const drivePurse = (
  transmit: (command: Uint8Array) => Uint8Array,
  personalisation: Personalisation = samplePersonalisation(),
): PurseDriver => {
  const { cardId: id } = personalisation
  const payKey = macKey(personalisation.payKey)
  const loadKey = macKey(personalisation.loadKey)
  let challenge: Uint8Array = new Uint8Array(8)
  let offered: (InitiateAnswer & { readonly order: Uint8Array }) | undefined

  const expectedCommitMac = (): Mac => {
    if (offered === undefined) return zeroMac()
    const committed = { ...offered, cardId: id }
    if (offered.order[0] === 2) return commitLoadMac(loadKey, committed)
    return offered.order[0] === 4 ? commitBlockMac(loadKey, id) : commitMac(payKey, committed)
  }
  const commands = {
    commit: () => commitCommand(expectedCommitMac()),
    verifyPin: (digits: string) =>
      verifyPinCommand(pinMac(payKey, { cardId: id, cardNonce: offered?.cardNonce ?? new Uint8Array(8), digits })),
    readRecord: (recordNumber: number) =>
      readRecordCommand(recordNumber, readMac(payKey, { cardId: id, challenge, recordNumber })),
  }
  const send = (command: Uint8Array) => parseResponse(transmit(command))
  const initiate = (order: Order | Uint8Array) => {
    const bytes = order instanceof Uint8Array ? order : encodeOrder(order)
    const response = send(initiateCommand(bytes))
    if (response.status === statusWord.ok) offered = { ...parseInitiateAnswer(response.data), order: bytes }
    return response
  }
  return {
    commands,
    send,
    select() {
      const info = parseSelectAnswer(send(selectCommand()).data)
      challenge = info.challenge
      return info
    },
    initiate,
    transact(order, pin) {
      const { status } = initiate(order)
      if (status !== statusWord.ok) return status
      if (pin !== undefined) send(commands.verifyPin(pin))
      return send(commands.commit()).status
    },
  }
}
