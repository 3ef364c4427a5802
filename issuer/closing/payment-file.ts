/** A payment file: ISO 20022 customer credit transfer initiation, pain.001.001.09, as SEPA restricts it (EPC132-08). */
import { currencyOf, formatAmount } from '../../protocol/currency.ts'
import type { Party } from '../console-contract/statement.ts'
import { isoTime } from '../iso-times.ts'
import { paymentText } from './payment-text.ts'

export interface Payment {
  /** EndToEndId. */
  readonly reference: string
  readonly amountMinor: number
  readonly creditor: Party
  /** For the creditor to read. */
  readonly remittance: string
}

export interface PaymentFile {
  /** MsgId and PmtInfId. */
  readonly messageId: string
  readonly currency: string
  /** UNIX seconds. */
  readonly createdAt: number
  readonly executionDay: string
  readonly debtor: Party
  readonly payments: readonly Payment[]
}

const nameMax = 70
const remittanceMax = 140

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** An element with text or with elements in it; without any there is none. */
const element = (name: string, content: string | readonly (string | undefined)[] | undefined): string | undefined => {
  if (content === undefined) return undefined
  if (typeof content === 'string') return `<${name}>${escaped(content)}</${name}>`
  const inner = content.filter((each) => each !== undefined)
  if (inner.length === 0) return undefined
  const lines = inner.flatMap((each) => each.split('\n')).map((each) => `  ${each}`)
  return `<${name}>\n${lines.join('\n')}\n</${name}>`
}

/** Structured: since November 2026 banks take no address of free lines alone. Without a town there is none to give. */
const address = ({ street, postcode, town, country }: Party): string | undefined =>
  town === undefined || country === undefined
    ? undefined
    : element('PstlAdr', [
        element('StrtNm', street === undefined ? undefined : paymentText(street, 70)),
        element('PstCd', postcode === undefined ? undefined : paymentText(postcode, 16)),
        element('TwnNm', paymentText(town, 35)),
        element('Ctry', country),
      ])

const party = (name: 'Dbtr' | 'Cdtr', of: Party): string | undefined =>
  element(name, [element('Nm', paymentText(of.legalName ?? of.name, nameMax)), address(of)])

const account = (name: 'DbtrAcct' | 'CdtrAcct', { iban }: Party): string | undefined =>
  element(name, [element('Id', [element('IBAN', iban)])])

const agent = (name: 'DbtrAgt' | 'CdtrAgt', { bic }: Party): string | undefined => {
  if (bic !== undefined) return element(name, [element('FinInstnId', [element('BICFI', bic)])])
  // A creditor's bank follows from his IBAN; the debtor's must be named, or said to be left out.
  return name === 'CdtrAgt'
    ? undefined
    : element(name, [element('FinInstnId', [element('Othr', [element('Id', 'NOTPROVIDED')])])])
}

const decimal = (minor: number, currency: string): string => formatAmount(minor, currency)

const transfer = (payment: Payment, currency: string): string | undefined =>
  element('CdtTrfTxInf', [
    element('PmtId', [element('InstrId', payment.reference), element('EndToEndId', payment.reference)]),
    element('Amt', [`<InstdAmt Ccy="${currency}">${decimal(payment.amountMinor, currency)}</InstdAmt>`]),
    agent('CdtrAgt', payment.creditor),
    party('Cdtr', payment.creditor),
    account('CdtrAcct', payment.creditor),
    element('RmtInf', [element('Ustrd', paymentText(payment.remittance, remittanceMax))]),
  ])

/** Identifiers go through as they are, or the payment could not be found by them. */
const requireIds = (file: PaymentFile): void => {
  const ids = [file.messageId, ...file.payments.map(({ reference }) => reference)]
  for (const id of ids) if (!/^[A-Za-z0-9-]{1,35}$/.test(id)) throw new Error(`${id} is no identifier for a payment`)
  if (new Set(ids).size !== ids.length) throw new Error('a payment is in the file twice')
}

/** The same input gives the same bytes. */
export const writePaymentFile = (file: PaymentFile): string => {
  requireIds(file)
  const { currency, payments } = file
  const sum = decimal(
    payments.reduce((all, { amountMinor }) => all + amountMinor, 0),
    currency,
  )
  const count = String(payments.length)
  const root = element('CstmrCdtTrfInitn', [
    element('GrpHdr', [
      element('MsgId', file.messageId),
      element('CreDtTm', isoTime(file.createdAt)),
      element('NbOfTxs', count),
      element('CtrlSum', sum),
      element('InitgPty', [element('Nm', paymentText(file.debtor.name, nameMax))]),
    ]),
    element('PmtInf', [
      element('PmtInfId', file.messageId),
      element('PmtMtd', 'TRF'),
      element('NbOfTxs', count),
      element('CtrlSum', sum),
      element('PmtTpInf', currency === 'EUR' ? [element('SvcLvl', [element('Cd', 'SEPA')])] : undefined),
      element('ReqdExctnDt', [element('Dt', file.executionDay)]),
      party('Dbtr', file.debtor),
      account('DbtrAcct', file.debtor),
      agent('DbtrAgt', file.debtor),
      element('ChrgBr', currency === 'EUR' ? 'SLEV' : undefined),
      ...payments.map((payment) => transfer(payment, currency)),
    ]),
  ])
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">',
    root,
    '</Document>',
    '',
  ].join('\n')
}

const minorOf = (text: string, currency: string): number => {
  const { decimals } = currencyOf(currency)
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[2] ?? ''
  if (match === null || fraction.length !== decimals) return Number.NaN
  return Number(`${match[1]}${fraction}`)
}

/**
 * Reads a file's sums again, by its text alone, before anybody takes it to the bank.
 * @returns one sentence for each thing that is wrong
 */
export const checkPaymentFile = (
  xml: string,
  told: { readonly currency: string; readonly count: number; readonly sumMinor: number },
): string[] => {
  const all = (name: string) =>
    [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map((match) => match[1] ?? '')
  const amounts = all('InstdAmt').map((text) => minorOf(text, told.currency))
  const sum = amounts.reduce((sums, amount) => sums + amount, 0)
  const references = all('EndToEndId')
  return [
    ...(amounts.every((amount) => amount > 0) ? [] : ['an amount is not above 0']),
    ...(sum === told.sumMinor ? [] : [`the amounts make ${sum}, not ${told.sumMinor}`]),
    ...(amounts.length === told.count ? [] : [`there are ${amounts.length} payments, not ${told.count}`]),
    ...(all('CtrlSum').every((text) => minorOf(text, told.currency) === sum) ? [] : ['CtrlSum is not the sum']),
    ...(all('NbOfTxs').every((text) => Number(text) === amounts.length) ? [] : ['NbOfTxs is not the count']),
    ...(new Set(references).size === references.length ? [] : ['a payment is there twice']),
  ]
}
