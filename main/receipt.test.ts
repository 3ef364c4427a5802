import { expect, onTestFinished, test } from 'vitest'
import type { Intent } from '../db/ledger.ts'
import { purchase } from './purchase/purchase.ts'
import { momentText, moneyText, type ReceiptSource, rateText, receiptOf } from './receipt.ts'
import { paperLanguageOf, paperLanguages, wordsOf } from './receipt-words.ts'
import { channelTo, goodsFor, makeTestCard, makeTestTerminal, testStartTime } from './test-terminal.ts'

const from: ReceiptSource = {
  terminal: 'Pier 3',
  merchant: 'Kiosk at the pier',
  currency: 'EUR',
  language: 'de',
  now: testStartTime + 500,
  claimUrl: 'https://pay.example/c#abc',
}

const sold = async (options: { failing?: boolean } = {}) => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const card = makeTestCard({ balanceMinor: 1000 })
  const goods = goodsFor(terminal)
  let seq = 0
  await purchase(terminal, channelTo(card), goods, {
    onDebit: ({ terminalSeq }) => {
      seq = terminalSeq
    },
    ...(options.failing ? { handOver: () => Promise.reject(new Error('no paper')) } : {}),
  })
  return { payment: terminal.ledger.intent(seq), card, terminal }
}

test('a receipt says what was bought, for how much, with which card, and what is left', async () => {
  const { payment, card } = await sold()
  expect(receiptOf(payment, from)).toEqual({
    number: '1-1',
    at: testStartTime + 60,
    merchant: 'Kiosk at the pier',
    terminal: 'Pier 3',
    language: 'de',
    itemTitle: 'Walking map',
    currency: 'EUR',
    priceMinor: 250,
    taxBasisPoints: 1900,
    taxMinor: 40,
    cardMasked: `···· ${card.id.slice(12)}`,
    balanceMinor: 750,
    claimUrl: 'https://pay.example/c#abc',
    state: 'paid',
    copy: false,
    printedTime: testStartTime + 500,
  })
})

test('the receipt of a reversed payment says so, shows the balance as it is, and lets nobody collect', async () => {
  const { payment } = await sold({ failing: true })
  const receipt = receiptOf(payment, { ...from, code: 'ALPHA-1', copy: true })
  expect(receipt).toMatchObject({ number: '1-1', state: 'reversed', balanceMinor: 1000, copy: true })
  expect(receipt).not.toHaveProperty('claimUrl')
  expect(receipt).not.toHaveProperty('code')
})

test('what was paid and not handed over is owed', async () => {
  const { payment, terminal } = await sold()
  terminal.ledger.markOwed(payment.terminalSeq)
  expect(receiptOf(terminal.ledger.intent(payment.terminalSeq), from).state).toBe('owed')
})

test('there is no receipt of what was not captured', async () => {
  const { payment } = await sold()
  const open: Intent = { ...payment, state: 'open', receiptNo: undefined }
  expect(() => receiptOf(open, from)).toThrow('captured payment')
})

test('money, moments and rates are written as each language does', () => {
  const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ').replace(/[\u200e\u200f]/g, '')
  const money = (minor: number, language: string, currency = 'EUR') => plain(moneyText(minor, { currency, language }))
  expect(money(123_456, 'en')).toBe('€1,234.56')
  expect(money(123_456, 'de')).toBe('1.234,56 €')
  expect(money(1, 'es')).toBe('0,01 €')
  expect(money(500, 'zh-Hant', 'JPY')).toMatch(/500$/)
  expect(money(1234, 'en', 'KWD')).toMatch(/1\.234/)
  expect(money(4_294_967_295, 'en')).toBe('€42,949,672.95')
  expect(plain(rateText(1900, 'de'))).toBe('19 %')
  expect(plain(rateText(550, 'en'))).toBe('5.5%')
  for (const language of paperLanguages) expect(momentText(testStartTime, language)).toMatch(/2026/)
})

test('every language has every word, and a customer of another one is understood', () => {
  const filled = Object.keys(wordsOf('en'))
  for (const language of paperLanguages) {
    const words = wordsOf(language)
    expect(Object.keys(words)).toEqual(filled)
    expect(Object.values(words)).not.toContain('')
  }
  expect(paperLanguageOf('de-AT')).toBe('de')
  expect(paperLanguageOf('zh-TW')).toBe('zh-Hant')
  expect(paperLanguageOf('fr')).toBe('en')
})
