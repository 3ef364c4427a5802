/** I6: what is written for people to read holds no key and no whole MAC. It knows every secret of the run, and looks at every line. */
import { demand } from './violation.ts'

/** A secret is found by its first 16 bytes: whole MACs are as long. */
const markHexDigits = 32

export interface Secrets {
  /** In hex, 16 bytes and more. */
  learn(...secrets: readonly string[]): void
  /** @throws Violation I6 when a secret stands in the text, in hex, base64 or base64url */
  look(text: string): void
}

const windowsOf = (hex: string): string[] =>
  Array.from({ length: Math.max(0, hex.length - markHexDigits + 1) }, (_, from) =>
    hex.slice(from, from + markHexDigits),
  )

export const watchSecrets = (): Secrets => {
  const marks = new Set<string>()
  return {
    learn(...secrets) {
      for (const secret of secrets) marks.add(secret.slice(0, markHexDigits))
    },
    look(text) {
      const inHex = text.match(/[0-9a-f]{32,}/gi) ?? []
      const inBase64 = (text.match(/[\w+/-]{22,}/g) ?? []).map((word) => Buffer.from(word, 'base64').toString('hex'))
      const found = [...inHex, ...inBase64].flatMap((hex) => windowsOf(hex.toLowerCase())).some((hex) => marks.has(hex))
      demand('I6', !found, () => `a secret is written down: ${text.slice(0, 200)}`)
    },
  }
}
