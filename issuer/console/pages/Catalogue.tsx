/** What is sold: articles with their prices and languages, assortments, and what the next publication changes. */
import { useState } from 'react'
import * as v from 'valibot'
import { Link, useLocation, useSearchParams } from 'wouter'
import {
  type ArticleRow,
  type AssortmentsAnswer,
  addedArticle,
  articlesPage,
  assortmentsAnswer,
  changesAnswer,
  kinds,
  type Uploaded,
} from '../../console-contract/catalogue.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { byLanguage, type Priced, PriceFields, priceOf, type Texts, TextsField, taxOf } from '../parts/ArticleForm.tsx'
import { Button } from '../parts/Button.tsx'
import { Categories } from '../parts/Categories.tsx'
import { Changes } from '../parts/Changes.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { Form, FormField, SelectField, TextField } from '../parts/Form.tsx'
import { GoodsPreview, Size } from '../parts/Goods.tsx'
import { Icon } from '../parts/Icon.tsx'
import { Card, PageHead, Strip, Tabs } from '../parts/layout.tsx'
import { pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { upload } from '../parts/Upload.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Code, Count, DateTime, Money, None, Words } from '../parts/values.tsx'

const nothing = v.object({})
const live = ['publications', 'audit'] as const

const stateSays = {
  offered: ['good', 'On sale'],
  unpublished: ['note', 'Not published'],
  coming: ['note', 'To come'],
  withdrawn: ['quiet', 'Withdrawn'],
} as const

/** Such as "ar, de +3": a dozen of them would leave no room for the title. */
function Languages({ of }: { of: readonly string[] }) {
  const named = of.length > 3 ? 2 : of.length
  return (
    <span title={of.join(', ')}>
      {of.slice(0, named).join(', ')}
      {of.length > named ? ` +${of.length - named}` : ''}
    </span>
  )
}

const columns: readonly Column<ArticleRow>[] = [
  {
    id: 'id',
    title: 'Article',
    sort: 'id',
    short: true,
    cell: (row) => (
      <Link href={pathTo.item(row.itemId)} title={row.itemId}>
        <Code>{row.itemId}</Code>
      </Link>
    ),
  },
  { id: 'title', title: 'Title', sort: 'title', wide: true, cell: (row) => <Words of={row.title} /> },
  {
    id: 'state',
    title: 'State',
    cell: (row) => <Badge tone={stateSays[row.state][0]}>{stateSays[row.state][1]}</Badge>,
  },
  { id: 'kind', title: 'Kind', priority: 3, cell: (row) => row.kind },
  { id: 'languages', title: 'Languages', priority: 3, cell: (row) => <Languages of={row.languages} /> },
  {
    id: 'stock',
    title: 'Codes not dealt',
    align: 'end',
    priority: 2,
    cell: (row) =>
      row.unitsTotal === undefined ? (
        <None says="not sold by code" />
      ) : (
        <span>
          <Count of={row.unitsFree} /> of <Count of={row.unitsTotal} />
        </span>
      ),
  },
  { id: 'price', title: 'Price', sort: 'price', align: 'end', cell: (row) => <Money minor={row.priceMinor} /> },
  {
    id: 'next',
    title: 'To come',
    align: 'end',
    priority: 2,
    cell: (row) =>
      row.nextFrom === undefined ? (
        <None says="nothing" />
      ) : (
        <span>
          <Money minor={row.nextPriceMinor} /> from <DateTime at={row.nextFrom} />
        </span>
      ),
  },
]

function Articles({ onAdd }: { onAdd: (() => void) | undefined }) {
  const list = useList({
    path: '/catalogue/items',
    page: articlesPage,
    sort: 'id',
    direction: 'ascending',
    filters: ['q', 'state', 'kind'],
    live,
  })
  return (
    <DataTable
      caption="Articles"
      noun={['article', 'articles']}
      list={list}
      columns={columns}
      rowKey={(row) => row.itemId}
      rowHref={(row) => pathTo.item(row.itemId)}
      empty={{
        title: 'Nothing is sold yet',
        text: 'Upload a file, or a list of codes, and say what it costs. Terminals sell it after the next publication.',
        ...(onAdd === undefined ? {} : { action: <Button onPress={onAdd}>Add article</Button> }),
      }}
      filters={
        <Filters list={list}>
          <FilterText list={list} name="q" label="Id or title" />
          <FilterSelect
            list={list}
            name="state"
            label="State"
            options={Object.entries(stateSays).map(([state, [, says]]) => [state, says] as const)}
          />
          <FilterSelect list={list} name="kind" label="Kind" options={kinds.map((kind) => [kind, kind] as const)} />
        </Filters>
      }
    />
  )
}

const kindOptions = [
  ['', 'By its file'],
  ['document', 'Document: read on the screen'],
  ['media', 'Media: seen or heard'],
  ['code', 'Codes: one a line, each sold once'],
  ['ticket', 'Tickets of somebody else: one a line, each sold once'],
] as const

const idFrom = (fileName: string): string =>
  fileName
    .toLowerCase()
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)

const noTexts: readonly Texts[] = [{ row: 0, language: 'en', title: '', summary: '' }]
const unpriced: Priced = { price: '', tax: '0', from: '' }

/** As the API takes them. */
const pricedOf = ({ price, tax, from }: Priced, currency: string) => ({
  priceMinor: priceOf(price, currency),
  taxBasisPoints: taxOf(tax),
  ...(from === '' ? {} : { from }),
})

/** Nothing is uploaded: the issuer makes them and signs each. */
function AddTickets({ onDone }: { onDone: () => void }) {
  const { book } = useSession()
  const [, go] = useLocation()
  const [id, setId] = useState('')
  const [count, setCount] = useState('')
  const [validFrom, setValidFrom] = useState('')
  const [validUntil, setValidUntil] = useState('')
  const [texts, setTexts] = useState(noTexts)
  const [priced, setPriced] = useState(unpriced)
  const add = useChange(addedArticle, '/catalogue/tickets')
  const submit = async () => {
    if (!/^\d{1,6}$/.test(count)) throw new Error(`"${count}" is not a number of tickets such as 200.`)
    const { itemId } = await add.mutateAsync({
      itemId: id,
      count: Number(count),
      ...byLanguage(texts),
      ...pricedOf(priced, book.currency),
      ...(validFrom === '' ? {} : { validFrom }),
      ...(validUntil === '' ? {} : { validUntil }),
    })
    onDone()
    go(pathTo.item(itemId))
  }
  return (
    <Form submit="Make them" onSubmit={submit} onCancel={onDone}>
      <TextField
        label="Id"
        hint="Of the event, short, and for good. One that exists gets more tickets."
        required
        spellCheck={false}
        value={id}
        onChange={setId}
      />
      <TextField
        label="Tickets"
        hint="Each is signed and sold once. They are dealt to the terminals that are known when you publish."
        inputMode="numeric"
        required
        value={count}
        onChange={setCount}
      />
      <TextField
        label="Good from"
        hint={`In ${book.timeZone}. Left empty: from now on.`}
        type="datetime-local"
        value={validFrom}
        onChange={setValidFrom}
      />
      <TextField
        label="Good until"
        hint="Left empty: without an end. It is signed into each ticket and cannot be changed."
        type="datetime-local"
        value={validUntil}
        onChange={setValidUntil}
      />
      <TextsField texts={texts} onChange={setTexts} />
      <PriceFields priced={priced} onChange={setPriced} />
    </Form>
  )
}

/** First the file, which is looked at; then what it is called and costs. */
function AddArticle({ onTickets, onDone }: { onTickets: () => void; onDone: () => void }) {
  const { book } = useSession()
  const [, go] = useLocation()
  const [file, setFile] = useState<File>()
  const [sent, setSent] = useState<Uploaded>()
  const [id, setId] = useState('')
  const [kind, setKind] = useState('')
  const [texts, setTexts] = useState(noTexts)
  const [priced, setPriced] = useState(unpriced)
  const add = useChange(addedArticle, '/catalogue/items')
  const sendFile = async () => {
    if (file === undefined) throw new Error('Choose a file first.')
    setSent(await upload(file))
    setId(idFrom(file.name))
  }
  if (file === undefined || sent === undefined)
    return (
      <Form submit="Upload and look at it" onSubmit={sendFile} onCancel={onDone}>
        <FormField
          label="File"
          hint="PDF, text, Markdown, EPUB, picture, sound or film of up to 64 MiB; for codes a text file with one a line."
        >
          {(field) => <input {...field} type="file" onChange={(event) => setFile(event.target.files?.[0])} />}
        </FormField>
        <p>
          Tickets that are checked at a door need no file.{' '}
          <Button small onPress={onTickets}>
            Make tickets
          </Button>
        </p>
      </Form>
    )
  const byUnit = kind === 'code' || kind === 'ticket'
  const open = (itemId: string) => {
    onDone()
    go(pathTo.item(itemId))
  }
  const { data: added } = add
  // What is wrong with the file was said before it was added.
  const isNews = (previewProblem: string | undefined) => previewProblem !== undefined && previewProblem !== sent.problem
  if (added !== undefined && isNews(added.previewProblem))
    return (
      <Form submit="Open the article" onSubmit={async () => open(added.itemId)}>
        <p role="status">
          <Code>{added.itemId}</Code> is in the catalogue. {added.previewProblem}
        </p>
      </Form>
    )
  const submit = async () => {
    const { itemId, previewProblem } = await add.mutateAsync({
      contentHash: sent.contentHash,
      fileName: file.name,
      itemId: id,
      ...byLanguage(texts),
      ...pricedOf(priced, book.currency),
      ...(kind === '' ? {} : { kind }),
    })
    if (!isNews(previewProblem)) open(itemId)
  }
  return (
    <Form
      submit={sent.problem === undefined ? 'Add to the catalogue' : 'Add it all the same'}
      onSubmit={submit}
      onCancel={onDone}
    >
      <p>
        {file.name}, <Size bytes={sent.bytes} />. Terminals sell it after the next publication.
      </p>
      {sent.problem === undefined ? null : (
        <>
          <Strip tone="bad">{sent.problem} Customers might pay for what they cannot open.</Strip>
          <div>
            <Button onPress={() => setSent(undefined)}>Choose another file</Button>
          </div>
        </>
      )}
      {sent.mediaType === undefined || sent.problem !== undefined ? null : (
        <GoodsPreview contentHash={sent.contentHash} mediaType={sent.mediaType} title={`Preview of ${file.name}`} />
      )}
      <TextField
        label="Id"
        hint="Short, and for good: an id that exists becomes a new version of that article."
        required
        spellCheck={false}
        value={id}
        onChange={setId}
      />
      <SelectField
        label="Sold as"
        {...(byUnit ? { hint: 'Codes that are there already are not added twice.' } : {})}
        value={kind}
        options={kindOptions}
        onChange={setKind}
      />
      <TextsField texts={texts} onChange={setTexts} />
      <PriceFields priced={priced} onChange={setPriced} />
    </Form>
  )
}

function SetAssortment({ name, items, onDone }: { name: string; items: readonly string[]; onDone: () => void }) {
  const [named, setNamed] = useState(name)
  const [text, setText] = useState(items.join('\n'))
  const set = useChange(nothing, '/catalogue/assortments')
  const submit = async () => {
    await set.mutateAsync({ name: named, items: text.split(/\s+/).filter((id) => id !== '') })
    onDone()
  }
  return (
    <Form submit="Keep the assortment" onSubmit={submit} onCancel={onDone}>
      <TextField
        label="Name"
        hint='Such as "beach".'
        required
        spellCheck={false}
        readOnly={name !== ''}
        value={named}
        onChange={setNamed}
      />
      <FormField label="Articles" hint="Their ids, one a line.">
        {(field) => <textarea {...field} rows={8} value={text} onChange={(event) => setText(event.target.value)} />}
      </FormField>
    </Form>
  )
}

function GiveAssortment({
  terminal,
  all,
  onDone,
}: {
  terminal: AssortmentsAnswer['terminals'][number]
  all: AssortmentsAnswer['assortments']
  onDone: () => void
}) {
  const [name, setName] = useState(terminal.assortment ?? '')
  const give = useChange(nothing, `/terminals/${terminal.terminalId}/assortment`)
  const submit = async () => {
    await give.mutateAsync(name === '' ? {} : { assortment: name })
    onDone()
  }
  return (
    <Form submit="Give it" onSubmit={submit} onCancel={onDone}>
      <SelectField
        label="Assortment"
        hint="From the next publication on. Codes that were dealt to the terminal stay with it."
        value={name}
        options={[['', 'Everything'], ...all.map((each) => [each.name, each.name] as const)]}
        onChange={setName}
      />
    </Form>
  )
}

function RemoveAssortment({ name }: { name: string }) {
  const remove = useChange(nothing, `/catalogue/assortments/${encodeURIComponent(name)}/remove`)
  return (
    <ConfirmAction
      button="Remove"
      kind="bare"
      small
      title={`Remove the assortment ${name}?`}
      says="Only an assortment that no terminal has can be removed. The articles stay."
      confirm="Remove"
      danger
      act={() => remove.mutateAsync({})}
    />
  )
}

function Assortments() {
  const may = useMay('operate')
  const found = useApi(assortmentsAnswer, '/catalogue/assortments', { live })
  const [edited, setEdited] = useState<{ readonly name: string; readonly items: readonly string[] }>()
  const [given, setGiven] = useState<AssortmentsAnswer['terminals'][number]>()
  return (
    <Answer of={found}>
      {({ assortments, terminals }) => (
        <div className="stack">
          <Card
            title="Assortments"
            flush
            aside={
              may ? (
                <Button small onPress={() => setEdited({ name: '', items: [] })}>
                  <Icon name="plus" /> Make one
                </Button>
              ) : undefined
            }
          >
            {assortments.length === 0 ? (
              <EmptyState
                title="Every terminal sells everything"
                text="An assortment is a named choice of articles; a terminal that is given one shows and sells nothing else."
              />
            ) : (
              <table className="table">
                <caption className="unseen">Assortments</caption>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Articles</th>
                    <th scope="col" className="at-end">
                      Terminals
                    </th>
                    <th scope="col">
                      <span className="unseen">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {assortments.map((each) => (
                    <tr key={each.name}>
                      <td>
                        <Code>{each.name}</Code>
                      </td>
                      <td>
                        {each.items.length === 0 ? (
                          <None says="no articles" />
                        ) : (
                          each.items.map((id) => (
                            <span key={id}>
                              <Link href={pathTo.item(id)}>{id}</Link>{' '}
                            </span>
                          ))
                        )}
                      </td>
                      <td className="at-end">
                        <Count of={each.terminals} />
                      </td>
                      <td>
                        {may ? (
                          <span className="row-of-buttons">
                            <Button small kind="bare" onPress={() => setEdited(each)}>
                              Change
                            </Button>
                            <RemoveAssortment name={each.name} />
                          </span>
                        ) : null}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Card>
          <Card title="Which terminal sells what" flush>
            <table className="table">
              <caption className="unseen">Terminals and their assortments</caption>
              <thead>
                <tr>
                  <th scope="col">Terminal</th>
                  <th scope="col">Merchant</th>
                  <th scope="col">Assortment</th>
                  <th scope="col">
                    <span className="unseen">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {terminals.map((each) => (
                  <tr key={each.terminalId}>
                    <td>
                      <TerminalLink id={each.terminalId} />
                    </td>
                    <td>{each.merchant}</td>
                    <td>
                      {each.assortment ?? 'Everything'}{' '}
                      {each.assortment === each.published ? null : (
                        <Badge tone="note">{each.published ?? 'everything'} until the next publication</Badge>
                      )}
                    </td>
                    <td>
                      {may ? (
                        <Button small kind="bare" onPress={() => setGiven(each)}>
                          Give another
                        </Button>
                      ) : null}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Card>
          <Dialog
            title={edited?.name ? `Assortment ${edited.name}` : 'Make an assortment'}
            open={edited !== undefined}
            onClose={() => setEdited(undefined)}
          >
            {edited === undefined ? null : <SetAssortment {...edited} onDone={() => setEdited(undefined)} />}
          </Dialog>
          <Dialog
            title={`Assortment of ${given?.merchant ?? 'a terminal'}`}
            open={given !== undefined}
            onClose={() => setGiven(undefined)}
          >
            {given === undefined ? null : (
              <GiveAssortment terminal={given} all={assortments} onDone={() => setGiven(undefined)} />
            )}
          </Dialog>
        </div>
      )}
    </Answer>
  )
}

function NextPublication() {
  const found = useApi(changesAnswer, '/catalogue/changes', { live })
  return (
    <Answer of={found}>
      {(changes) => (
        <Card title="What the next publication changes" aside={<Link href="/bulletin">Publish it</Link>}>
          <Changes changes={changes} />
        </Card>
      )}
    </Answer>
  )
}

type Tab = 'articles' | 'categories' | 'assortments' | 'changes'
const tabs: readonly { readonly id: Tab; readonly title: string }[] = [
  { id: 'articles', title: 'Articles' },
  { id: 'categories', title: 'Categories' },
  { id: 'assortments', title: 'Assortments' },
  { id: 'changes', title: 'Next publication' },
]

export default function Catalogue() {
  const may = useMay('operate')
  const [adding, setAdding] = useState<'file' | 'tickets'>()
  const [search, setSearch] = useSearchParams()
  const at = tabs.find(({ id }) => id === search.get('tab'))?.id ?? 'articles'
  const onAdd = may ? () => setAdding('file') : undefined
  return (
    <>
      <PageHead
        title="Catalogue"
        actions={
          onAdd === undefined ? undefined : (
            <Button kind="primary" onPress={onAdd}>
              <Icon name="plus" /> Add article
            </Button>
          )
        }
      />
      <Tabs label="Catalogue" tabs={tabs} at={at} onChange={(tab) => setSearch(tab === 'articles' ? {} : { tab })}>
        {at === 'articles' ? <Articles onAdd={onAdd} /> : null}
        {at === 'categories' ? <Categories /> : null}
        {at === 'assortments' ? <Assortments /> : null}
        {at === 'changes' ? <NextPublication /> : null}
      </Tabs>
      <Dialog
        title={adding === 'tickets' ? 'Make tickets' : 'Add an article'}
        open={adding !== undefined}
        onClose={() => setAdding(undefined)}
      >
        {adding === 'tickets' ? (
          <AddTickets onDone={() => setAdding(undefined)} />
        ) : (
          <AddArticle onTickets={() => setAdding('tickets')} onDone={() => setAdding(undefined)} />
        )}
      </Dialog>
    </>
  )
}
