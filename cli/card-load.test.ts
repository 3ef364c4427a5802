import { expect, onTestFinished, test } from 'vitest'
import { purchase } from '../main/purchase/purchase.ts'
import { openReaderDouble } from '../main/reader/reader-double.ts'
import { connectIssuer, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import { allKnown, channelTo, goodsFor, makeTestCard, makeTestTerminal } from '../main/test-terminal.ts'
import { loadTelling } from './card-load.ts'

const nobody = connectIssuer('http://127.0.0.1:1', { fetch: () => Promise.reject(new TypeError('fetch failed')) })

test.each([
  [
    'here',
    1,
    /^This card's payment of 2\.50 EUR for map was in doubt and has gone through; its goods are had at this terminal/,
  ],
  ['by claim', 2, /; its goods are had by this claim: https?:\/\/\S+\/c#[\w-]+\.$/],
] as const)(
  'a payment in doubt is said though the load fails, with where its goods are had: %s',
  async (_, epoch, says) => {
    const { terminal } = makeTestTerminal(onTestFinished)
    const card = makeTestCard({ balanceMinor: 1000 })
    const goods = goodsFor(terminal)
    card.reset()
    await openReaderDouble()
      .insert(card.answers, { cut: { apdu: 3, when: 'after' } })
      .use((channel) => purchase(terminal, channel, goods))
    if (epoch === 2) terminal.ledger.beginEpoch(2, allKnown)
    const said: string[] = []
    const load = () =>
      loadTelling({ terminal, client: nobody, channel: channelTo(card) }, { amountMinor: 2000 }, (sentence) =>
        said.push(sentence),
      )
    await expect(load()).rejects.toThrow(IssuerUnreachable)
    expect(said).toEqual([expect.stringMatching(says)])
  },
)
