/** The bulletin and the versions of keys in the console: what terminals are told, who has it, and what a person ends. */
import { sql } from 'kysely'
import * as v from 'valibot'
import { bulletinKeyVersion } from '../../protocol/bulletin.ts'
import {
  jumpDays,
  newestBulletin,
  publish,
  setTerms,
  sizeWarnings,
  type Terms,
  validSecondsOf,
} from '../bulletin-publisher.ts'
import {
  bulletinAnswer,
  endedAnswer,
  keysAnswer,
  newsPage,
  newsQuery,
  publishedAnswer,
  publishInput,
  retiredAnswer,
  rotatedAnswer,
  rotateInput,
  termsInput,
  versionInput,
} from '../console-contract/bulletin.ts'
import { isoTime } from '../iso-times.ts'
import { endTerminalVersion, keyState, retirePayVersion, rotateMasters, rotateSigningKey } from '../key-rotation.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const nothing = v.object({})

const show = route({
  method: 'GET',
  path: '/bulletin',
  permission: 'read',
  summary: 'The newest bulletin: its age, terms and limits.',
  input: nothing,
  output: bulletinAnswer,
  handle: async ({ issuer }) => {
    const newest = await issuer.store.read((db) => newestBulletin(issuer, db))
    if (newest === undefined) return { warnings: [] }
    const { bulletin, bytes, serial } = newest
    const listed = await issuer.store.read((db) =>
      db
        .selectFrom('hotlist')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow(),
    )
    const days = jumpDays(issuer, newest)
    return {
      ...(days === undefined ? {} : { jumpDays: days }),
      bulletin: {
        serial,
        issuedAt: bulletin.issuedAt,
        expiresAt: bulletin.expiresAt,
        bytes: bytes.length,
        items: bulletin.items.length,
        coming: bulletin.coming?.length ?? 0,
        assortments: bulletin.assortments?.length ?? 0,
        hotlisted: listed.count,
        signingKeyVersion: bulletinKeyVersion(bytes),
        payKeyVersions: bulletin.payKeyVersions,
        claimSeconds: bulletin.claimSeconds,
        validSeconds: validSecondsOf(bulletin),
        limits: bulletin.limits,
      },
      warnings: await sizeWarnings(issuer, newest),
    }
  },
})

const publishNow = route({
  method: 'POST',
  path: '/bulletin/publish',
  permission: 'operate',
  summary:
    'Publishes the catalogue as it stands; terminals take it with their next sync. `jump`: although the last bulletin is half a year old.',
  input: publishInput,
  output: publishedAnswer,
  handle: async ({ issuer, caller, input }) => ({
    serial: (await publish(issuer, { jump: input.jump === true }, caller.name)).serial,
  }),
})

type Given = v.InferOutput<typeof termsInput>

/** Without what was not said. */
const termsOf = ({ limits, validSeconds, claimSeconds }: Given): Terms => ({
  limits: Object.fromEntries(Object.entries(limits ?? {}).filter(([, value]) => value !== undefined)),
  ...(validSeconds === undefined ? {} : { validSeconds }),
  ...(claimSeconds === undefined ? {} : { claimSeconds }),
})

const terms = route({
  method: 'POST',
  path: '/bulletin/terms',
  permission: 'administer',
  fresh: true,
  summary: 'Changes limits and terms, in a new bulletin at once.',
  input: termsInput,
  output: publishedAnswer,
  handle: async ({ issuer, caller, input }) => ({
    serial: (await setTerms(issuer, termsOf(input), caller.name)).serial,
  }),
})

const newestSerial = sql<number>`coalesce((SELECT max(serial) FROM bulletin), 0)`

const news = route({
  method: 'GET',
  path: '/bulletin/terminals',
  permission: 'read',
  summary: 'Which documents were last handed out in each terminal’s name, and which key it seals with.',
  input: newsQuery,
  output: newsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('terminal')
          .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
          .leftJoin('terminal_news', 'terminal_news.terminal_no', 'terminal.terminal_no')
          .leftJoin('terminal_assortment', 'terminal_assortment.terminal_no', 'terminal.terminal_no')
          .select([
            'terminal.terminal_no',
            'terminal.terminal_id',
            'terminal.key_version',
            'merchant.merchant_no',
            'merchant.name as merchant',
            'terminal_news.bulletin_serial',
            'terminal_news.keyring_serial',
            'terminal_news.asked_at',
            'terminal_assortment.published_name as assortment',
          ])
          .select(newestSerial.as('newest'))
          .$if(input.state === 'never', (query) => query.where('terminal_news.asked_at', 'is', null))
          .$if(input.state === 'current', (query) =>
            query.where(sql<boolean>`terminal_news.bulletin_serial = ${newestSerial}`),
          )
          .$if(input.state === 'behind', (query) =>
            query.where(sql<boolean>`terminal_news.bulletin_serial < ${newestSerial}`),
          ),
      sorts: { asked: sql<number>`coalesce(terminal_news.asked_at, 0)`, terminal: 'terminal.terminal_id' },
      key: 'terminal.terminal_no',
      show: (rows) =>
        rows.map((row) => ({
          terminalId: row.terminal_id,
          merchant: row.merchant,
          merchantNo: row.merchant_no,
          ...(row.bulletin_serial === null ? {} : { bulletinSerial: row.bulletin_serial }),
          ...(row.keyring_serial === null ? {} : { keyringSerial: row.keyring_serial }),
          ...(row.asked_at === null ? {} : { askedAt: isoTime(row.asked_at) }),
          state: row.bulletin_serial === null ? 'never' : row.bulletin_serial === row.newest ? 'current' : 'behind',
          ...(row.assortment === null ? {} : { assortment: row.assortment }),
          keyVersion: row.key_version,
        })),
    }),
})

const keys = route({
  method: 'GET',
  path: '/keys',
  permission: 'read',
  summary: 'Versions of keys, and who depends on each.',
  input: nothing,
  output: keysAnswer,
  handle: async ({ issuer }) => {
    const state = await keyState(issuer)
    return { ...state, versions: [...state.versions] }
  },
})

const rotate = route({
  method: 'POST',
  path: '/keys/rotate',
  permission: 'administer',
  fresh: true,
  summary: 'Adds a version of the master keys, or signs bulletins with a new key.',
  input: rotateInput,
  output: rotatedAnswer,
  handle: ({ issuer, caller, input }) =>
    input.what === 'masters' ? rotateMasters(issuer, caller.name) : rotateSigningKey(issuer, caller.name),
})

const retire = route({
  method: 'POST',
  path: '/keys/:version/retire',
  permission: 'administer',
  fresh: true,
  summary: 'Refuses cards of a key version at every terminal that gets the bulletin.',
  input: versionInput,
  output: retiredAnswer,
  handle: async ({ issuer, caller, input }) => {
    const { cards } = await retirePayVersion(issuer, input.version, { force: input.force === true }, caller.name)
    return { cards }
  },
})

const end = route({
  method: 'POST',
  path: '/keys/:version/end',
  permission: 'administer',
  fresh: true,
  summary: 'Takes nothing more that is sealed with terminal keys up to a version.',
  input: versionInput,
  output: endedAnswer,
  handle: ({ issuer, caller, input }) =>
    endTerminalVersion(issuer, input.version, { force: input.force === true }, caller.name),
})

export const bulletinRoutes = [show, publishNow, terms, news, keys, rotate, retire, end]
