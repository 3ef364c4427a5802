/** An issuer is killed at every file call while it publishes, takes batches in, loads a card and enrols a terminal. */
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compileLayer, faultFolder, soak } from '../disk/disk-faults.ts'
import { templateOf } from './flows.ts'
import { killEverywhere } from './kill.ts'
import { issuerSteps, killIssuerAt } from './kill-issuer.ts'

/** Of the issuer's file calls the test command takes every twentieth, FARTHING_SOAK=1 all. */
const stride = soak ? 1 : 20

test('an issuer killed before any file call forgets nothing that it acknowledged, and its books agree', async () => {
  const folder = faultFolder(onTestFinished)
  const bench = {
    folder,
    library: compileLayer(folder),
    template: await templateOf('sync', path.join(folder, 'template')),
  }
  const steps = await issuerSteps(bench)
  const kill = async (step: number) => (await killIssuerAt(bench, step)).problems
  const { problems, tried } = await killEverywhere(steps, kill, stride)
  console.log(`issuer: ${tried} of ${steps} kill points`)
  expect(problems).toEqual([])
}, 900_000)
