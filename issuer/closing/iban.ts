/** International bank account numbers (ISO 13616) and bank identifiers (ISO 9362). */
import { IssuerError } from '../errors.ts'

/** Lengths by country, of the registry of ISO 13616 (SWIFT, release 99). Another country's is checked by its digits alone. */
const lengths = new Map(
  Object.entries({
    ...{
      AD: 24,
      AE: 23,
      AL: 28,
      AT: 20,
      AZ: 28,
      BA: 20,
      BE: 16,
      BG: 22,
      BH: 22,
      BR: 29,
      BY: 28,
      CH: 21,
      CR: 22,
      CY: 28,
    },
    ...{
      CZ: 24,
      DE: 22,
      DK: 18,
      DO: 28,
      EE: 20,
      EG: 29,
      ES: 24,
      FI: 18,
      FO: 18,
      FR: 27,
      GB: 22,
      GE: 22,
      GI: 23,
      GL: 18,
    },
    ...{
      GR: 27,
      GT: 28,
      HR: 21,
      HU: 28,
      IE: 22,
      IL: 23,
      IQ: 23,
      IS: 26,
      IT: 27,
      JO: 30,
      KW: 30,
      KZ: 20,
      LB: 28,
      LC: 32,
    },
    ...{
      LI: 21,
      LT: 20,
      LU: 20,
      LV: 21,
      MC: 27,
      MD: 24,
      ME: 22,
      MK: 19,
      MR: 27,
      MT: 31,
      MU: 30,
      NL: 18,
      NO: 15,
      PK: 24,
    },
    ...{
      PL: 28,
      PS: 29,
      PT: 25,
      QA: 29,
      RO: 24,
      RS: 22,
      SA: 24,
      SC: 31,
      SE: 24,
      SI: 19,
      SK: 24,
      SM: 27,
      ST: 25,
      SV: 28,
    },
    ...{ TL: 23, TN: 24, TR: 26, UA: 29, VA: 22, VG: 24, XK: 20 },
  }),
)

/** ISO 7064, MOD 97-10, with the country and the check digits moved to the end. */
const isWholeIban = (iban: string): boolean => {
  let rest = 0
  for (const letter of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(letter, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** @returns without spaces, in capitals @throws IssuerError `input` */
export const parseIban = (text: string): string => {
  const iban = text.replaceAll(/\s/g, '').toUpperCase()
  const wrong = (why: string) =>
    new IssuerError('input', `"${text}" is not an IBAN: ${why}. Copy it from a statement of the bank.`)
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) throw wrong('it has two letters, two digits, and up to 30 more')
  const length = lengths.get(iban.slice(0, 2))
  if (length !== undefined && iban.length !== length)
    throw wrong(`one of ${iban.slice(0, 2)} has ${length} characters, this has ${iban.length}`)
  if (!isWholeIban(iban)) throw wrong('its check digits do not fit, so a character is wrong or missing')
  return iban
}

/** @returns in capitals @throws IssuerError `input` */
export const parseBic = (text: string): string => {
  const bic = text.replaceAll(/\s/g, '').toUpperCase()
  if (!/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(bic))
    throw new IssuerError('input', `"${text}" is not a BIC: it has 8 or 11 letters and digits, such as GIBAATWWXXX.`)
  return bic
}

/** In groups of four, for people. */
export const spacedIban = (iban: string): string => iban.replaceAll(/.{4}(?=.)/g, '$& ')
