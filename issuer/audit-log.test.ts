import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { noteChange, verifyChain } from './audit-log.ts'
import { type Bench, openBench } from './test-support.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
beforeEach(() => behindItsBack('DELETE FROM audit_log'))
afterAll(() => bench.close())

const note = (subject: string, before?: unknown, after?: unknown) =>
  bench.issuer.store.write((db) => noteChange(db, { name: 'ann', at: 7 }, { action: 'x.set', subject, before, after }))
const verify = (seen?: string) => bench.issuer.store.read((db) => verifyChain(db, seen))
/** As somebody would who has the database's file. */
const behindItsBack = (statement: string) =>
  bench.issuer.store.write(async (db) => {
    const where = bench.issuer.store.url.startsWith('postgres') ? ' ON audit_log' : ''
    for (const trigger of ['audit_log_is_final', 'audit_log_stays'])
      await sql.raw(`DROP TRIGGER IF EXISTS ${trigger}${where}`).execute(db)
    await sql.raw(statement).execute(db)
  })

it('chains what was changed, and says what is the last of it', async () => {
  expect(await verify()).toEqual({ state: 'whole', rows: 0, hash: '0'.repeat(64) })
  await note('a', { z: 1, a: [1, 'ü'] }, null)
  await note('b')
  const whole = await verify()
  expect(whole).toMatchObject({ state: 'whole', rows: 2 })
  const rows = await bench.issuer.store.read((db) => db.selectFrom('audit_log').selectAll().execute())
  expect(rows[0]).toMatchObject({ audit_no: 1, before_json: '{"a":[1,"ü"],"z":1}', after_json: 'null' })
  expect(rows[1]).toMatchObject({ audit_no: 2, before_json: null, after_json: null })
})

it('is not written when the change is undone', async () => {
  await expect(
    bench.issuer.store.write(async (db) => {
      await noteChange(db, { name: 'ann', at: 7 }, { action: 'x', subject: 'y' })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  expect(await verify()).toMatchObject({ rows: 0 })
})

it('refuses to be changed or shortened', async () => {
  const untouched = await openBench()
  const { store } = untouched.issuer
  await store.write((db) => noteChange(db, { name: 'ann', at: 7 }, { action: 'x', subject: 'y' }))
  for (const attempt of ["UPDATE audit_log SET name = 'bob'", 'DELETE FROM audit_log'])
    await expect(store.write((db) => sql.raw(attempt).execute(db))).rejects.toThrow('audit log')
  await untouched.close()
})

it.each([
  ['changed', "UPDATE audit_log SET name = 'bob' WHERE audit_no = 2", 2],
  ['changed in what was before', "UPDATE audit_log SET before_json = '1' WHERE audit_no = 3", 3],
  ['given another hash', `UPDATE audit_log SET hash = '${'0'.repeat(64)}' WHERE audit_no = 2`, 2],
  ['taken out', 'DELETE FROM audit_log WHERE audit_no = 2', 2],
  ['taken out at the front', 'DELETE FROM audit_log WHERE audit_no = 1', 1],
  [
    'put in',
    `INSERT INTO audit_log (audit_no, at, name, action, subject, hash) VALUES (5, 1, 'a', 'b', 'c', '${'1'.repeat(64)}')`,
    5,
  ],
])('names the first row that was %s behind its back', async (_, statement, auditNo) => {
  for (const subject of ['a', 'b', 'c', 'd']) await note(subject)
  await behindItsBack(statement)
  expect(await verify()).toMatchObject({ state: 'broken', auditNo })
})

it('shows that its end was cut off to whoever kept a hash', async () => {
  await note('a')
  await note('b')
  const seen = await verify()
  if (seen.state !== 'whole') throw new Error('not whole')
  await note('c')
  expect(await verify(seen.hash)).toMatchObject({ state: 'whole', rows: 3 })
  await behindItsBack('DELETE FROM audit_log WHERE audit_no > 1')
  expect(await verify()).toMatchObject({ state: 'whole', rows: 1 })
  expect(await verify(seen.hash)).toMatchObject({ state: 'cut', rows: 1 })
})

it('walks more rows than it reads at once', async () => {
  await bench.issuer.store.write(async (db) => {
    for (let at = 1; at <= 1201; at += 1) await noteChange(db, { name: 'ann', at }, { action: 'x', subject: 'y' })
  })
  expect(await verify()).toMatchObject({ state: 'whole', rows: 1201 })
})

it('never holds what is named a secret, nor whole documents', async () => {
  await note('a', { newPassword: 'p1', list: [{ code: 'p2', setupCode: 'p3', keyVersion: 4 }], terminalKey: 'p5' })
  await note('b', 'x'.repeat(200_000))
  const rows = await bench.issuer.store.read((db) => db.selectFrom('audit_log').selectAll().execute())
  expect(rows[0]?.before_json).not.toMatch(/p[1235]/)
  expect(rows[0]?.before_json).toContain('"keyVersion":4')
  expect(rows[1]?.before_json).toBe('{"tooLong":200002}')
})
