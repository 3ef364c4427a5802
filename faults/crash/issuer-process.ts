/**
 * An issuer as a process of its own, to be killed: publishes an edition, makes an enrolment code, and serves until told to
 * stop.
 *
 *     node issuer-process.ts FOLDER      over IPC: { url, code } when ready; anything sent to it ends it
 */
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { mapPriceMinor, openShopIssuer, serveShop, shopTerminalId } from './shop.ts'

const [folder = ''] = process.argv.slice(2)
const issuer = await openShopIssuer(folder)
const file = { name: 'map.txt', bytes: Buffer.from('Every path, second edition') }
await addItem(issuer, { file, id: 'map', priceMinor: mapPriceMinor + 50, title: { en: 'Map' } })
await publish(issuer)
const { code } = await createEnrolmentCode(issuer, shopTerminalId)
const server = await serveShop(issuer)
process.once('message', async () => {
  await server.close()
  await issuer.store.close()
  process.exit(0)
})
process.send?.({ url: server.url, code })
