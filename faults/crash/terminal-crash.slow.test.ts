/** A terminal is killed at every step of every flow: SIGKILL, a real process, and then the truth (PROTOCOL.md, Recovery). */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileLayer, faultFolder, soak } from '../disk/disk-faults.ts'
import { type Flow, flows } from './flow-names.ts'
import { templateOf } from './flows.ts'
import { type KillBench, killAt, killEverywhere, referenceRun } from './kill.ts'

/**
 * The test command takes every seventh step; of a flow that is another one with one step more, every fourteenth; where no money moves,
 * and the steps are many, every thirtieth. FARTHING_SOAK=1 takes all.
 */
const strides: Partial<Record<Flow, number>> = { enrolment: 30, printed: 14, document: 14, reversal: 14 }
const strideElsewhere = 7

describe('a terminal that is killed before any file call, APDU or request', () => {
  const cleanUps: (() => void)[] = []
  let folder = ''
  let library = ''
  beforeAll(() => {
    folder = faultFolder((cleanUp) => cleanUps.push(cleanUp))
    library = compileLayer(folder)
  })
  afterAll(() => {
    for (const cleanUp of cleanUps) cleanUp()
  })

  test.each(flows)(
    '%s: is before or after, and loses and doubles nothing',
    async (flow) => {
      const own = path.join(folder, flow)
      mkdirSync(own)
      const bench: KillBench = {
        flow,
        library,
        folder: own,
        template: await templateOf(flow, path.join(own, 'template')),
      }
      const reference = await referenceRun(bench)
      const kill = (step: number) => killAt(bench, step, reference)
      const { problems, tried } = await killEverywhere(
        reference.steps,
        kill,
        soak ? 1 : (strides[flow] ?? strideElsewhere),
      )
      console.log(`${flow}: ${tried} of ${reference.steps} kill points, ${JSON.stringify(reference.kinds)}`)
      expect(problems).toEqual([])
    },
    600_000,
  )
})
