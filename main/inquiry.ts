/** Asks the issuer what a voucher is worth, and what a card is owed: a load's order carries its amount (PROTOCOL.md, Inquiries). */
import { ProtocolError } from '../protocol/errors.ts'
import { fundingHash } from '../protocol/funding-reference.ts'
import {
  type CreditsAnswer,
  encodeInquiry,
  type Inquiry,
  openCreditsAnswer,
  openVoucherAnswer,
  type VoucherAnswer,
} from '../protocol/inquiry.ts'
import type { CardId } from '../protocol/quantities.ts'
import { type IssuerClient, IssuerUnreachable } from './sync/issuer-client.ts'
import type { Terminal } from './terminal.ts'

const nonceBytes = 16

const inquiryOf = ({ identity, randomBytes }: Terminal, about: Inquiry['about']): Inquiry => ({
  keyVersion: identity.keyVersion,
  terminalId: identity.terminalId,
  nonce: randomBytes(nonceBytes),
  about,
})

/** @throws IssuerUnreachable unless the bytes are the issuer's answer to this very question */
const fromIssuer = <Answer>(open: () => Answer): Answer => {
  try {
    return open()
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new IssuerUnreachable('What answered is not the issuer (a proxy or a login page?).', { cause })
  }
}

/**
 * @param typed a voucher's code as a person typed it
 * @returns what it is worth; `unknown` too for what cannot be a code
 * @throws IssuerUnreachable, IssuerRefused
 */
export const askVoucher = async (terminal: Terminal, client: IssuerClient, typed: string): Promise<VoucherAnswer> => {
  const { terminalKey } = terminal.identity
  let inquiry: Inquiry
  try {
    inquiry = inquiryOf(terminal, { kind: 'voucher', hash: fundingHash(typed) })
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'range') return { state: 'unknown' }
    throw error
  }
  const bytes = await client.askVoucher(encodeInquiry(terminalKey, inquiry))
  return fromIssuer(() => openVoucherAnswer(terminalKey, inquiry, bytes))
}

/**
 * @param card as its own offer has just proved it
 * @returns what it is owed: each comes with a load of that amount that names the reference
 * @throws IssuerUnreachable, IssuerRefused
 */
export const askCredits = async (
  terminal: Terminal,
  client: IssuerClient,
  card: CardId,
): Promise<CreditsAnswer['credits']> => {
  const { terminalKey } = terminal.identity
  const inquiry = inquiryOf(terminal, { kind: 'credits', cardId: card })
  const bytes = await client.askCredits(encodeInquiry(terminalKey, inquiry))
  return fromIssuer(() => openCreditsAnswer(terminalKey, inquiry, bytes)).credits
}
