import { expect, test } from 'vitest'
import { watchSecrets } from './secrets.ts'
import { Violation } from './violation.ts'

const key = 'ab54a98ceb1f0ad2ab54a98ceb1f0ad3ab54a98ceb1f0ad4ab54a98ceb1f0ad5'
const mac = '00112233445566778899aabbccddeeff'
const secrets = watchSecrets()
secrets.learn(key, mac)

test.each([
  ['a key in hex', `{"key":"${key}"}`],
  ['a key in capitals', key.toUpperCase()],
  ['a key within more hex', `ffff${key}00`],
  ['a MAC in base64', Buffer.from(mac, 'hex').toString('base64')],
  ['a MAC in base64url', Buffer.from(mac, 'hex').toString('base64url')],
])('%s is found', (_name, text) => {
  expect(() => secrets.look(`request failed: ${text}`)).toThrow(Violation)
})

test.each([
  ['ids and hashes', '{"terminal":"7e23000000000000","hash":"00000000445566778899aabbccddeeff00000000"}'],
  ['half a MAC', mac.slice(0, 16)],
  ['nothing', ''],
])('%s are no secrets', (_name, text) => {
  secrets.look(text)
})
