/** A process that is killed while it takes batches in leaves each of them whole or not there (kill -9, real files). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { auditBooks } from './audit.ts'
import { ingestBatch } from './ingest.ts'
import { report } from './report.ts'
import { newCard, newTerminal, openBench, publish } from './test-support.ts'

const issuerModule = new URL('./issuer.ts', import.meta.url).href
const ingestModule = new URL('./ingest.ts', import.meta.url).href

/** Takes every batch of the folder in, in order, and prints a line for each acknowledgement. */
const program = `
  import { readFileSync } from 'node:fs'
  const { openIssuer } = await import(${JSON.stringify(issuerModule)})
  const { ingestBatch } = await import(${JSON.stringify(ingestModule)})
  const [url, ...files] = process.argv.slice(1)
  const issuer = await openIssuer({ url, clock: () => 1, randomBytes: (count) => new Uint8Array(count) })
  for (const file of files) {
    const { ack } = await ingestBatch(issuer, readFileSync(file))
    console.log(Buffer.from(ack).toString('hex'))
  }
`
const batchCount = 14
const entriesPerBatch = 40

test('kill -9 at any moment: what was acknowledged is there, and nothing is there by half', async () => {
  const bench = await openBench()
  const { issuer, folder } = bench
  const map = await publish(issuer, 'map', 1)
  const kiosk = await newTerminal(issuer, 'Town')
  const card = await newCard(issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 100_000)))
  const files = Array.from({ length: batchCount }, (_, index) => {
    const entries = Array.from({ length: entriesPerBatch }, () => kiosk.entry(card.pay(kiosk, map)))
    const file = join(folder, `batch-${index}`)
    writeFileSync(file, kiosk.batch(...entries))
    return file
  })
  const acknowledged: string[] = []
  let attempts = 0
  while (acknowledged.length < batchCount) {
    attempts += 1
    const left = files.slice(acknowledged.length)
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, issuer.store.url, ...left])
    const killAfter = 1 + (attempts % 3)
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line)
      lines += 1
      // Somewhere within one of the next batches.
      if (lines === killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 15)
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(lines).toBeGreaterThan(0)
    const { totals } = await report(issuer)
    expect(totals.taken.count % entriesPerBatch).toBe(0)
    expect(totals.taken.count).toBeGreaterThanOrEqual(acknowledged.length * entriesPerBatch)
    expect(await auditBooks(issuer)).toEqual([])
  }
  expect(attempts).toBeGreaterThan(2)
  expect((await report(issuer)).totals.taken.count).toBe(batchCount * entriesPerBatch)
  for (const [index, file] of files.entries()) {
    const result = await ingestBatch(issuer, readFileSync(file))
    if ('refused' in result) throw new Error(result.sentence)
    expect(Buffer.from(result.ack).toString('hex')).toBe(acknowledged[index])
  }
  await bench.close()
}, 120_000)
