import { expect, onTestFinished, test } from 'vitest'
import { sampleMasters } from '../card/purse-driver.ts'
import { instruction } from '../protocol/apdu.ts'
import { deriveLoadKey } from '../protocol/keys.ts'
import { encodeLoadAnswer, type LoadVerdict, parseLoadRequest, requireLoadRequestSeal } from '../protocol/load.ts'
import { commitLoadMac, macKey, offerMac } from '../protocol/mac.ts'
import { encodeOrder } from '../protocol/order.ts'
import { amountMinor, currencyCode, zeroMac } from '../protocol/quantities.ts'
import { encodeIdentity } from '../protocol/record.ts'
import { type LoadOutcome, loadCard } from './load.ts'
import { finishOpen, purchase } from './purchase/purchase.ts'
import { type CardAnswers, type Cut, openReaderDouble } from './reader/reader-double.ts'
import { connectIssuer, IssuerUnreachable } from './sync/issuer-client.ts'
import {
  allKnown,
  channelTo,
  goodsFor,
  makeTestCard,
  makeTestTerminal,
  type TestCard,
  type TestTerminal,
} from './test-terminal.ts'

/** An issuer that funds everything, until it is told otherwise. */
const makeIssuer = (made: TestTerminal) => {
  const requests: Uint8Array[] = []
  let verdict: LoadVerdict = 'authorised'
  let replies: ((answer: Uint8Array) => Response)[] = []
  const answerTo = (bytes: Uint8Array): Uint8Array => {
    requireLoadRequestSeal(made.sealKey, bytes)
    const request = parseLoadRequest(bytes)
    const { cardId, keyVersion } = request.identity
    const loadKey = macKey(deriveLoadKey(sampleMasters.load, keyVersion, cardId))
    const offered = { ...request, order: encodeOrder(request.order), identity: encodeIdentity(request.identity) }
    expect(offerMac(loadKey, offered)).toEqual(request.offerMac)
    return encodeLoadAnswer(made.sealKey, {
      keyVersion: 1,
      verdict,
      terminalId: request.order.terminalId,
      terminalSeq: request.order.terminalSeq,
      counter: request.counter,
      commitMac: verdict === 'authorised' ? commitLoadMac(loadKey, { ...offered, cardId }) : zeroMac(),
    })
  }
  const client = connectIssuer('http://127.0.0.1:1', {
    fetch: async (_url, init) => {
      const body = init?.body
      if (!(body instanceof Uint8Array)) throw new Error('a load request is bytes')
      requests.push(new Uint8Array(body))
      const reply = replies.shift()
      const answer = answerTo(new Uint8Array(body))
      return reply?.(answer) ?? new Response(new Uint8Array(answer))
    },
  })
  return {
    client,
    requests,
    refuse: (as: LoadVerdict) => {
      verdict = as
    },
    reply: (...next: typeof replies) => {
      replies = next
    },
  }
}

const make = () => {
  const made = makeTestTerminal(onTestFinished)
  const issuer = makeIssuer(made)
  const load = (card: TestCard, minor: number, cut?: Cut): Promise<LoadOutcome> => {
    card.reset()
    return openReaderDouble()
      .insert(card.answers, cut === undefined ? {} : { cut })
      .use((channel) => loadCard(made.terminal, issuer.client, channel, { amountMinor: minor }))
  }
  /** A map for 2.50, paid by a card that left before it said so. */
  const leaveInDoubt = async (card: TestCard) => {
    const goods = goodsFor(made.terminal)
    card.reset()
    const left = await openReaderDouble()
      .insert(card.answers, { cut: { apdu: 3, when: 'after' } })
      .use((channel) => purchase(made.terminal, channel, goods))
    expect(left.outcome).toBe('inDoubt')
  }
  return { ...made, issuer, load, leaveInDoubt }
}

const lost = (): Response => {
  throw new TypeError('fetch failed')
}
const loginPage = () => new Response('<html>Please log in</html>')

test('an authorised load is on the card and in the ledger', async () => {
  const { load, terminal } = make()
  const card = makeTestCard({ balanceMinor: 0 })
  expect(await load(card, 5000)).toEqual({ outcome: 'captured', cardId: card.id, counter: 1, balanceAfterMinor: 5000 })
  expect(card.state.balanceMinor).toBe(5000)
  expect(terminal.ledger.openIntents(card.id)).toEqual([])
  expect(terminal.ledger.unsynced).toMatchObject({ count: 1, amountMinor: 0 })
})

test('an answer that was lost is asked for again with the same request', async () => {
  const { load, issuer } = make()
  issuer.reply(lost)
  const card = makeTestCard({ balanceMinor: 0 })
  expect(await load(card, 100)).toMatchObject({ outcome: 'captured' })
  expect(issuer.requests).toHaveLength(2)
  expect(issuer.requests[1]).toEqual(issuer.requests[0])
})

test.each([
  ['nobody', [lost, lost]],
  ['a login page', [loginPage]],
])('%s instead of the issuer: nothing is loaded, and the card proves it at once', async (_name, replies) => {
  const { load, issuer, terminal } = make()
  issuer.reply(...replies)
  const card = makeTestCard({ balanceMinor: 0 })
  await expect(load(card, 100)).rejects.toThrow(IssuerUnreachable)
  expect(card.state.balanceMinor).toBe(0)
  expect(terminal.ledger.openIntents(card.id)).toEqual([])
  expect(terminal.ledger.unsynced).toMatchObject({ count: 1, amountMinor: 0 })
})

test('nobody, and the card leaves too: the load stays in doubt, and the next tap proves it void', async () => {
  const { load, issuer, terminal } = make()
  issuer.reply(lost, lost)
  const card = makeTestCard({ balanceMinor: 0 })
  await expect(load(card, 100, { apdu: 4, when: 'before' })).rejects.toThrow(IssuerUnreachable)
  expect(terminal.ledger.openIntents(card.id)).toHaveLength(1)
  expect(await finishOpen(terminal, channelTo(card))).toMatchObject({ outcome: 'clear', voided: 1 })
})

test.each(['refused', 'notFunded', 'unknownCard', 'limit', 'otherCounter'] as const)(
  '%s: declined, and the card says at once that nothing happened',
  async (verdict) => {
    const { load, issuer, terminal } = make()
    issuer.refuse(verdict)
    const card = makeTestCard({ balanceMinor: 0 })
    expect(await load(card, 100)).toEqual({ outcome: 'declined', reason: verdict })
    expect(card.state.balanceMinor).toBe(0)
    expect(terminal.ledger.openIntents(card.id)).toEqual([])
  },
)

test('what the card refuses never reaches the issuer', async () => {
  const { load, issuer } = make()
  const small = makeTestCard({ balanceMinor: 0, personalisation: { balanceMaxMinor: amountMinor(99) } })
  expect(await load(small, 100)).toEqual({ outcome: 'declined', reason: 'overBalanceMax' })
  const foreign = makeTestCard({ balanceMinor: 0, personalisation: { currency: currencyCode(840) } })
  expect(await load(foreign, 100)).toEqual({ outcome: 'declined', reason: 'wrongCurrency' })
  const blocked = makeTestCard({ balanceMinor: 0 })
  blocked.block()
  expect(await load(blocked, 100)).toEqual({ outcome: 'declined', reason: 'cardBlocked' })
  expect(issuer.requests).toEqual([])
})

test.each([
  ['before', 0, 'void'],
  ['after', 100, 'captured'],
] as const)('cut %s COMMIT: in doubt, and the next tap decides', async (when, balance, state) => {
  const { load, terminal } = make()
  const card = makeTestCard({ balanceMinor: 0 })
  const outcome = await load(card, 100, { apdu: 4, when })
  expect(outcome).toEqual({ outcome: 'inDoubt', cardId: card.id, counter: 1 })
  const [doubt] = terminal.ledger.openIntents(card.id)
  await finishOpen(terminal, channelTo(card))
  expect(terminal.ledger.intent(doubt?.terminalSeq ?? 0).state).toBe(state)
  expect(card.state.balanceMinor).toBe(balance)
})

test('a payment in doubt is told before any money moves; then the load comes, and the goods wait for the next tap', async () => {
  const { load, leaveInDoubt, issuer, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await leaveInDoubt(card)
  const [doubt] = terminal.ledger.openIntents(card.id)
  for (const _ of [1, 2])
    expect(await load(card, 2000)).toMatchObject({
      outcome: 'paidBefore',
      payment: { terminalSeq: doubt?.terminalSeq, state: 'captured' },
      goods: 'due',
      claimable: true,
      balanceMinor: 750,
    })
  expect(issuer.requests).toEqual([])
  expect(card.state.balanceMinor).toBe(750)
  const told = { amountMinor: 2000, paidBeforeTold: true } as const
  expect(await loadCard(terminal, issuer.client, channelTo(card), told)).toMatchObject({
    outcome: 'captured',
    balanceAfterMinor: 2750,
  })
  expect(await finishOpen(terminal, channelTo(card))).toMatchObject({ outcome: 'captured', goods: 'due' })
})

test('of an earlier epoch its goods are owed by claim, and said so once', async () => {
  const { load, leaveInDoubt, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await leaveInDoubt(card)
  terminal.ledger.beginEpoch(2, allKnown)
  expect(await load(card, 2000)).toMatchObject({ outcome: 'paidBefore', goods: 'owed', claimable: true })
  expect(await load(card, 2000)).toMatchObject({ outcome: 'captured' })
})

test('a card that only claims a number leaves nothing in its name, and never reaches the issuer', async () => {
  const { terminal, issuer } = make()
  const victim = makeTestCard({ balanceMinor: 1000 })
  const imitation: CardAnswers = (command) => {
    const response = victim.answers(command)
    // Knows no key: the offer's counter is the attacker's, and so its MAC is wrong.
    return command[1] === instruction.initiate ? response.map((byte, at) => (at === 0 ? 0xff : byte)) : response
  }
  victim.reset()
  const outcome = await openReaderDouble()
    .insert(imitation)
    .use((channel) => loadCard(terminal, issuer.client, channel, { amountMinor: 100 }))
  expect(outcome).toEqual({ outcome: 'declined', reason: 'cardSuspect' })
  expect(terminal.ledger.status().alarms).toMatchObject({
    count: 1,
    newest: { detail: 'wrong offer MAC before a load' },
  })
  expect(terminal.ledger.openIntents(victim.id)).toEqual([])
  expect(issuer.requests).toEqual([])
})
