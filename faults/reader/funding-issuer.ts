/** An issuer that funds every load, in memory: the faults here are the reader's. */
import { sampleMasters } from '../../card/purse-driver.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import type { TestTerminal } from '../../main/test-terminal.ts'
import { deriveLoadKey } from '../../protocol/keys.ts'
import { encodeLoadAnswer, parseLoadRequest, requireLoadRequestSeal } from '../../protocol/load.ts'
import { commitLoadMac, macKey } from '../../protocol/mac.ts'
import { encodeOrder } from '../../protocol/order.ts'

export const fundingIssuer = ({ sealKey }: Pick<TestTerminal, 'sealKey'>) =>
  connectIssuer('http://127.0.0.1:1', {
    fetch: async (_url, init) => {
      if (!(init?.body instanceof Uint8Array)) throw new Error('a load request is bytes')
      const bytes = new Uint8Array(init.body)
      requireLoadRequestSeal(sealKey, bytes)
      const { identity, order, counter, cardNonce } = parseLoadRequest(bytes)
      const { cardId, keyVersion } = identity
      const loadKey = macKey(deriveLoadKey(sampleMasters.load, keyVersion, cardId))
      const answer = encodeLoadAnswer(sealKey, {
        keyVersion: 1,
        verdict: 'authorised',
        terminalId: order.terminalId,
        terminalSeq: order.terminalSeq,
        counter,
        commitMac: commitLoadMac(loadKey, { cardId, counter, order: encodeOrder(order), cardNonce }),
      })
      return new Response(new Uint8Array(answer))
    },
  })
