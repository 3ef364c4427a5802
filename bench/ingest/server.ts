/**
 * The issuer's real HTTP server in a process of its own. Only here, and by an argument of this program, can it be told to
 * believe every settlement MAC: the product has no such switch.
 */
import { parseArgs } from 'node:util'
import { openIssuer } from '../../issuer/issuer.ts'
import { serve } from '../../issuer/server.ts'
import { now } from './fleet.ts'

const { values } = parseArgs({ options: { store: { type: 'string' }, believing: { type: 'boolean', default: false } } })
const opened = await openIssuer({
  url: values.store ?? '',
  clock: () => now,
  randomBytes: (count) => new Uint8Array(count),
})
const issuer = values.believing ? { ...opened, proofs: { proves: () => true } } : opened
const server = await serve({ issuer, port: 0 })
process.on('message', async (asked) => {
  if (asked === 'usage')
    process.send?.({
      ...process.cpuUsage(),
      rss: process.memoryUsage().rss,
      rssMax: process.resourceUsage().maxRSS * 1024,
    })
  if (asked === 'stop') {
    await server.close()
    await issuer.store.close()
    process.disconnect()
  }
})
process.send?.({ url: server.url })
