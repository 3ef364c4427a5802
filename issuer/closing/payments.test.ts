import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import { addMerchant } from '../parties.ts'
import { book } from '../postings.ts'
import { type Bench, openBench } from '../test-support.ts'
import { chargeFees, roundHalfAwayFromZero } from './fees.ts'
import { parseBic, parseIban, spacedIban } from './iban.ts'
import { setBank, setMerchant } from './payees.ts'
import { checkPaymentFile, type PaymentFile, writePaymentFile } from './payment-file.ts'
import { exportPayments, listPaymentRuns, paymentRunFile } from './payment-runs.ts'
import { paymentText } from './payment-text.ts'
import { closeAllPeriods } from './periods.ts'

const by = { name: 'test' }
/** Published examples (SWIFT's registry; ISO 13616). */
const ibans = ['AT611904300234573201', 'DE89370400440532013000', 'NO9386011117947', 'GB82WEST12345698765432']

const schemaFolder =
  process.env.FARTHING_ISO20022 ?? fileURLToPath(new URL('../../../shared/iso20022', import.meta.url))
const schemaFile = `${schemaFolder}/pain.001.001.09.xsd`
const hasSchema = existsSync(schemaFile)
if (!hasSchema)
  console.warn(`payments.test.ts: ${schemaFile} is not here: payment files are not validated (FARTHING_ISO20022)`)

const validate = async (xml: string): Promise<readonly string[]> => {
  const { errors } = await validateXML({
    xml: [{ fileName: 'payments.xml', contents: xml }],
    schema: [{ fileName: 'pain.001.001.09.xsd', contents: readFileSync(schemaFile, 'utf8') }],
  })
  return errors.map(({ message }) => message)
}

describe('a fee', () => {
  test.each([
    [25n, 10n, 3n],
    [24n, 10n, 2n],
    [-25n, 10n, -3n],
    [-24n, 10n, -2n],
    [5n, 1n, 5n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
  ])('%i / %i is %i', (numerator, denominator, rounded) => {
    expect(roundHalfAwayFromZero(numerator, denominator)).toBe(rounded)
  })

  test('is rounded once for each rate, and is free before the first', () => {
    const rates = [
      { fromDay: '2026-01-02', basisPoints: 150, fixedMinor: 0 },
      { fromDay: '2026-01-04', basisPoints: 0, fixedMinor: 7 },
    ]
    const days = ['01', '02', '03', '04'].map((day) => ({ day: `2026-01-${day}`, count: 1, amountMinor: 33 }))
    expect(chargeFees(rates, days)).toEqual([
      { ...rates[0], fromDay: '2026-01-02', untilDay: '2026-01-03', count: 2, baseMinor: 66, feeMinor: 1 },
      { ...rates[1], fromDay: '2026-01-04', untilDay: '2026-01-04', count: 1, baseMinor: 33, feeMinor: 7 },
    ])
  })
})

describe('a bank account', () => {
  test.each(ibans)('%s is one, however it is written', (iban) => {
    expect(parseIban(spacedIban(iban).toLowerCase())).toBe(iban)
  })
  test.each([
    ['AT611904300234573202', /check digits/],
    ['AT61190430023457320', /20 characters/],
    ['AT', /two letters/],
    ['<AT611904300234573201>', /two letters/],
  ])('%s is none', (text, why) => {
    expect(() => parseIban(text)).toThrow(why)
  })
  test('one wrong digit is always found', () => {
    const digit = fc.record({ at: fc.integer({ min: 2, max: 19 }), by: fc.integer({ min: 1, max: 9 }) })
    fc.assert(
      fc.property(digit, ({ at, by: change }) => {
        const iban = ibans[0] ?? ''
        const wrong = `${iban.slice(0, at)}${(Number(iban[at]) + change) % 10}${iban.slice(at + 1)}`
        expect(() => parseIban(wrong)).toThrow(/check digits/)
      }),
    )
  })
  test('a BIC has 8 or 11 letters and digits', () => {
    expect(parseBic('gibaatww')).toBe('GIBAATWW')
    expect(() => parseBic('GIBAATW')).toThrow(/BIC/)
  })
})

describe("text for banks' computers", () => {
  test.each([
    ['Müller & Söhne', 'Mueller + Soehne'],
    ['Ölmühle', 'Oelmuehle'],
    ['Zażółć gęślą jaźń', 'Zazolc gesla jazn'],
    ['Καφέ Αθήνα', 'Kafe Athina'],
    ['Чай и Щука', 'Chaj i Shhuka'],
    ['Ærø Fjällräven', 'Aero Fjaellraeven'],
    ['<script>"x"</script>', ".script.'x'./script."],
    ['//Shop//', 'Shop'],
    ['茶', '.'],
    ['', '.'],
  ])('%s is spelled %s', (text, spelled) => {
    expect(paymentText(text, 70)).toBe(spelled)
  })
  test('holds no other characters, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(paymentText(text, 70)).toMatch(/^[A-Za-z0-9/\-?:().,'+ ]{1,70}$/)
      }),
    )
  })
})

const file: PaymentFile = {
  messageId: 'FARTHING-R000001-20261101',
  currency: 'EUR',
  createdAt: 1_793_500_000,
  executionDay: '2026-11-02',
  debtor: { name: 'Alderwend Pay', iban: ibans[1] ?? '', bic: 'COBADEFFXXX', town: 'Linz', country: 'AT' },
  payments: [1, 99_999_999_999].map((amountMinor, index) => ({
    reference: `FARTHING-P00000${index}-20261031`,
    amountMinor,
    creditor: { name: '<Café & "Ölź">', iban: ibans[0] ?? '', street: 'Straße 7/2', town: 'Wien', country: 'AT' },
    remittance: 'Sales',
  })),
}

describe('a payment file', () => {
  test('adds up, and its check finds what does not', () => {
    const xml = writePaymentFile(file)
    const told = { currency: 'EUR', count: 2, sumMinor: 100_000_000_000 }
    expect(checkPaymentFile(xml, told)).toEqual([])
    expect(checkPaymentFile(xml.replace('>0.01<', '>0.02<'), told)).toHaveLength(2)
    expect(checkPaymentFile(xml.replaceAll('P000001', 'P000000'), told)).toEqual(['a payment is there twice'])
    expect(checkPaymentFile(xml.replaceAll('<NbOfTxs>2<', '<NbOfTxs>1<'), told)).toEqual(['NbOfTxs is not the count'])
    expect(xml).toContain("<Nm>.Cafe + 'Oelz'.</Nm>")
  })

  test('has the decimals of its currency', () => {
    expect(writePaymentFile({ ...file, currency: 'JPY' })).toContain('<InstdAmt Ccy="JPY">99999999999<')
    expect(writePaymentFile({ ...file, currency: 'KWD' })).toContain('<CtrlSum>100000000.000<')
  })

  test.skipIf(!hasSchema)('is valid against its schema, with what may be left out and without', async () => {
    expect(await validate(writePaymentFile(file))).toEqual([])
    const bare = { name: 'A', iban: ibans[0] ?? '' }
    const sparse = { ...file, debtor: bare, payments: file.payments.map((each) => ({ ...each, creditor: bare })) }
    expect(await validate(writePaymentFile(sparse))).toEqual([])
    expect(await validate(writePaymentFile(file).replace('TRF', 'CHK'))).not.toEqual([])
  })
})

describe('a payment run', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench()
  })
  afterEach(() => bench.close())

  const owe = async (merchants: readonly string[]) => {
    for (const [index, merchant] of merchants.entries()) {
      const { issuer } = bench
      const { added } = await addMerchant(issuer, merchant)
      if (added) await setMerchant(issuer, { merchant, details: { iban: ibans[index] ?? '' }, by })
      await issuer.store.write(async (db) => {
        const row = await db
          .selectFrom('merchant')
          .select('merchant_no')
          .where('name', '=', merchant)
          .executeTakeFirst()
        const to = { kind: 'payable', merchantNo: row?.merchant_no ?? 0 } as const
        const posting = {
          from: { kind: 'suspense' },
          to,
          amountMinor: 1000,
          cause: 'payment',
          document: 'test',
        } as const
        await book(db, posting, issuer.clock())
      })
    }
  }
  const closeYesterday = async () => {
    const untilDay = new Date(bench.clock.seconds * 1000).toISOString().slice(0, 10)
    bench.clock.seconds += 86_400
    await closeAllPeriods(bench.issuer, { untilDay, by })
  }

  test('takes each payout once; exporting it again gives the same bytes, whatever was changed meanwhile', async () => {
    const { issuer } = bench
    await expect(exportPayments(issuer, { by })).rejects.toMatchObject({ message: /Nothing is to be paid/ })
    await owe(['Town', 'Station'])
    await closeYesterday()
    await expect(exportPayments(issuer, { by })).rejects.toMatchObject({ message: /bank set/ })
    await setBank(issuer, { details: { name: 'Alderwend Pay', iban: ibans[1] ?? '' }, by })
    const first = await exportPayments(issuer, { by })
    expect(first).toMatchObject({ runNo: 1, messageId: 'FARTHING-R000001-20251114', count: 2, sumMinor: 2000 })
    expect(first.xml).toContain('<EndToEndId>FARTHING-P000002-20251113</EndToEndId>')
    if (hasSchema) expect(await validate(first.xml)).toEqual([])
    bench.clock.seconds += 3600
    await setBank(issuer, { details: { name: 'Another', iban: ibans[2] ?? '' }, by })
    await setMerchant(issuer, { merchant: 'Town', details: { iban: ibans[3] ?? '', legalName: 'Another' }, by })
    expect(await exportPayments(issuer, { by })).toEqual(first)
    await owe(['Town'])
    await closeYesterday()
    const second = await exportPayments(issuer, { by })
    expect(second).toMatchObject({ runNo: 2, count: 1, sumMinor: 1000 })
    expect(second.xml).toContain(ibans[3])
    expect(await paymentRunFile(issuer, 1)).toEqual(first)
    expect(await listPaymentRuns(issuer)).toMatchObject([
      { runNo: 2, count: 1 },
      { runNo: 1, sumMinor: 2000 },
    ])
    await expect(paymentRunFile(issuer, 3)).rejects.toMatchObject({ code: 'input' })
  })
})
