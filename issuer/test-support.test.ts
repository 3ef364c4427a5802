import { expect, inject, test } from 'vitest'
import { openBench } from './test-support.ts'

test('the suites run on the database that their project is for', async () => {
  const bench = await openBench()
  expect(bench.issuer.store.kind).toBe(inject('storeKind'))
  await bench.close()
})
