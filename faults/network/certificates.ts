/** Certificates made on the spot (X.509 v3, RFC 5280, in DER by hand): a right one and every wrong one, without a tool. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts)
const utf8 = (text: string) => der(0x0c, Buffer.from(text))
const time = (seconds: number) =>
  der(0x18, Buffer.from(`${new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')}`))

/** Already encoded. */
const oid = {
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
} as const

const algorithm = sequence(oid.ecdsaWithSha256)
const nameOf = (commonName: string) => sequence(set(sequence(oid.commonName, utf8(commonName))))
const yes = Buffer.from([1, 1, 0xff])
const octets = (bytes: Uint8Array) => der(4, bytes)

export interface Authority {
  readonly name: string
  readonly privateKey: KeyObject
  /** PEM. */
  readonly certificate: string
}

interface Issue {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signingKey: KeyObject
  readonly extension: Uint8Array
  readonly validFrom: number
  readonly validUntil: number
}

const certify = (issue: Issue): string => {
  const body = sequence(
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.from([1]), randomBytes(8)),
    algorithm,
    nameOf(issue.issuer),
    sequence(time(issue.validFrom), time(issue.validUntil)),
    nameOf(issue.subject),
    issue.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(issue.extension)),
  )
  const signature = sign('sha256', body, issue.signingKey)
  const certificate = sequence(body, algorithm, der(3, Buffer.from([0]), signature))
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`
}

const daySeconds = 86_400
const today = () => Math.floor(Date.now() / 1000)
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

export const makeAuthority = (name: string): Authority => {
  const { privateKey, publicKey } = newKey()
  const certificate = certify({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    extension: sequence(oid.basicConstraints, yes, octets(sequence(yes))),
    validFrom: today() - 400 * daySeconds,
    validUntil: today() + 400 * daySeconds,
  })
  return { name, privateKey, certificate }
}

/** @param by absent: signed by itself @returns PEM, for a TLS server */
export const makeCertificate = (made: {
  readonly by?: Authority
  /** A name such as "issuer.example", or 127.0.0.1. */
  readonly host: string
  readonly days?: readonly [from: number, until: number]
}): { readonly key: string; readonly cert: string } => {
  const { privateKey, publicKey } = newKey()
  const [from, until] = made.days ?? [-1, 30]
  const host = made.host === '127.0.0.1' ? der(0x87, Buffer.from([127, 0, 0, 1])) : der(0x82, Buffer.from(made.host))
  const cert = certify({
    subject: made.host,
    issuer: made.by?.name ?? made.host,
    publicKey,
    signingKey: made.by?.privateKey ?? privateKey,
    extension: sequence(oid.subjectAltName, octets(sequence(host))),
    validFrom: today() + from * daySeconds,
    validUntil: today() + until * daySeconds,
  })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
}
