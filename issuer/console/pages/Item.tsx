/** One article: what it says, costs and contains, its versions, and where its codes are. */
import { useState } from 'react'
import * as v from 'valibot'
import { formatAmount } from '../../../protocol/currency.ts'
import { type ArticleDetail, articleDetail } from '../../console-contract/catalogue.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import type { PageProperties } from '../areas.ts'
import { byLanguage, type Priced, PriceFields, priceOf, TextsField, taxOf, textsOf } from '../parts/ArticleForm.tsx'
import { Button } from '../parts/Button.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { Form } from '../parts/Form.tsx'
import { GoodsPreview, Size } from '../parts/Goods.tsx'
import { Card, KeyValue, PageHead, Strip } from '../parts/layout.tsx'
import { TerminalLink } from '../parts/links.tsx'
import { Shelf } from '../parts/ShelfForm.tsx'
import { Answer } from '../parts/states.tsx'
import { Badge, Code, Count, DateTime, Money, None, Words } from '../parts/values.tsx'

const nothing = v.object({})
const live = ['publications', 'audit', 'batches'] as const

function ChangeArticle({ article, onDone }: { article: ArticleDetail; onDone: () => void }) {
  const { item } = article
  const { currency } = useSession().book
  const [texts, setTexts] = useState(textsOf(item.title, item.summary))
  const [priced, setPriced] = useState<Priced>({
    price: formatAmount(item.priceMinor, currency),
    tax: String(item.taxBasisPoints / 100),
    from: '',
  })
  const change = useChange(nothing, `/catalogue/items/${encodeURIComponent(item.id)}/change`)
  const submit = async () => {
    await change.mutateAsync({
      ...byLanguage(texts),
      priceMinor: priceOf(priced.price, currency),
      taxBasisPoints: taxOf(priced.tax),
      ...(priced.from === '' ? {} : { from: priced.from }),
    })
    onDone()
  }
  return (
    <Form submit="Keep the change" onSubmit={submit} onCancel={onDone}>
      <TextsField texts={texts} onChange={setTexts} />
      <PriceFields priced={priced} onChange={setPriced} />
    </Form>
  )
}

function Actions({ article, onChange }: { article: ArticleDetail; onChange: () => void }) {
  const { item, offered, coming } = article
  const path = `/catalogue/items/${encodeURIComponent(item.id)}`
  const withdraw = useChange(nothing, `${path}/withdraw`)
  const offer = useChange(nothing, `${path}/offer`)
  return (
    <>
      {offered || coming.length > 0 ? (
        <ConfirmAction
          button="Withdraw"
          title={`Withdraw ${item.id}?`}
          says="The next publication leaves it out. Kiosks that have an older bulletin may sell it until that expires: such sales settle, and claims are honoured."
          confirm="Withdraw"
          danger
          act={() => withdraw.mutateAsync({})}
        />
      ) : (
        <ConfirmAction
          button="Offer again"
          title={`Offer ${item.id} again?`}
          says="The next publication has it again, as it was."
          confirm="Offer again"
          act={() => offer.mutateAsync({})}
        />
      )}
      <Button kind="primary" onPress={onChange}>
        Change price or texts
      </Button>
    </>
  )
}

function ToCome({ article }: { article: ArticleDetail }) {
  const may = useMay('operate')
  const { item, coming } = article
  const cancel = useChange(nothing, `/catalogue/items/${encodeURIComponent(item.id)}/cancel`)
  if (coming.length === 0) return null
  return (
    <Card
      title="To come"
      aside={
        may ? (
          <ConfirmAction
            button="Take back"
            small
            title={`Take back what is to come of ${item.id}?`}
            says="Terminals that have it announced switch all the same, until the next publication reaches them; their sales settle."
            confirm="Take back"
            danger
            act={() => cancel.mutateAsync({})}
          />
        ) : undefined
      }
    >
      <KeyValue
        pairs={coming.map(({ from, item: next }) => [
          `Version ${next.version}`,
          <span key={from}>
            <Money minor={next.priceMinor} /> from <DateTime at={from} />
          </span>,
        ])}
      />
    </Card>
  )
}

function Units({ units, tickets }: { units: NonNullable<ArticleDetail['units']>; tickets: boolean }) {
  const name = tickets ? 'Tickets' : 'Codes'
  return (
    <Card title={name} flush>
      <table className="table">
        <caption className="unseen">{name} by terminal</caption>
        <thead>
          <tr>
            <th scope="col">Terminal</th>
            <th scope="col">Merchant</th>
            {['For sale', 'Sold', 'Withheld', 'Withdrawn'].map((title) => (
              <th key={title} scope="col" className="at-end">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {units.map((row) => (
            <tr key={row.terminalId ?? ''}>
              <td>{row.terminalId === undefined ? 'Not dealt yet' : <TerminalLink id={row.terminalId} />}</td>
              <td>{row.merchant ?? <None />}</td>
              {[row.forSale, row.sold, row.withheld, row.withdrawn].map((count, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the columns stand still.
                <td key={at} className="at-end">
                  <Count of={count} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

function Versions({ article: { versions, coming } }: { article: ArticleDetail }) {
  const announced = new Map(coming.map(({ from, item }) => [item.version, from]))
  const soldFrom = (row: ArticleDetail['versions'][number]) => row.soldFrom ?? announced.get(row.version)
  return (
    <Card title="Versions and prices" flush>
      <table className="table">
        <caption className="unseen">Versions</caption>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col" className="at-end">
              Price
            </th>
            <th scope="col">Made</th>
            <th scope="col">Sold from</th>
            <th scope="col">Sales count until</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((row) => (
            <tr key={row.version}>
              <td>
                <Count of={row.version} />
              </td>
              <td className="at-end">
                <Money minor={row.priceMinor} />
              </td>
              <td>
                <DateTime at={row.addedAt} />
              </td>
              <td>{soldFrom(row) === undefined ? 'when published' : <DateTime at={soldFrom(row)} />}</td>
              <td>{row.soldUntil === undefined ? <None says="never published" /> : <DateTime at={row.soldUntil} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

function Shown({ article }: { article: ArticleDetail }) {
  const may = useMay('operate')
  const [changing, setChanging] = useState(false)
  const { item, offered, published } = article
  return (
    <>
      <PageHead
        title={item.id}
        code
        lead={<Words of={item.title.en ?? Object.values(item.title)[0] ?? ''} />}
        trail={[['Catalogue', '/catalogue']]}
        badge={
          offered ? (
            <Badge tone={published?.version === item.version ? 'good' : 'note'}>
              {published?.version === item.version ? 'On sale' : 'Not published'}
            </Badge>
          ) : (
            <Badge>{article.coming.length > 0 ? 'To come' : 'Withdrawn'}</Badge>
          )
        }
        actions={may ? <Actions article={article} onChange={() => setChanging(true)} /> : undefined}
      />
      {published !== undefined && published.version !== item.version ? (
        <Strip tone="note">
          Terminals are told version {published.version}, at <Money minor={published.priceMinor} />, until the next
          publication.
        </Strip>
      ) : null}
      <div className="columns">
        <div className="stack">
          <Card title="Goods">
            {item.bytes === 0 ? (
              <p>Each {item.kind === 'ticket' ? 'ticket' : 'code'} is an article of its own; nobody sees them here.</p>
            ) : may ? (
              <GoodsPreview contentHash={item.contentHash} mediaType={item.mediaType} title={`Preview of ${item.id}`} />
            ) : (
              <p>Operators may look at the goods.</p>
            )}
          </Card>
          {article.units === undefined ? null : <Units units={article.units} tickets={item.kind === 'ticket'} />}
          <Versions article={article} />
        </div>
        <div className="stack">
          <Card title="Offer">
            <KeyValue
              pairs={[
                ['Price', <Money key="price" minor={item.priceMinor} strong />],
                ['Tax in it', `${item.taxBasisPoints / 100} %`],
                ['Version', <Count key="version" of={item.version} />],
                ['Kind', item.kind],
                ['Media type', <Code key="type">{item.mediaType}</Code>],
                ['Size', item.bytes === 0 ? undefined : <Size key="size" bytes={item.bytes} />],
                ['Assortments', article.assortments.length === 0 ? 'in none' : article.assortments.join(', ')],
              ]}
            />
          </Card>
          <ToCome article={article} />
          <Shelf article={article} />
          <Card title="Texts">
            <KeyValue
              pairs={Object.entries(item.title).map(([language, title]) => [
                language,
                <div key={language} lang={language} dir="auto">
                  {title}
                  {item.summary[language] ? <div className="hint">{item.summary[language]}</div> : null}
                </div>,
              ])}
            />
          </Card>
        </div>
      </div>
      <Dialog title={`Change ${item.id}`} open={changing} onClose={() => setChanging(false)}>
        <ChangeArticle article={article} onDone={() => setChanging(false)} />
      </Dialog>
    </>
  )
}

export default function Item({ itemId = '' }: PageProperties) {
  const found = useApi(articleDetail, `/catalogue/items/${encodeURIComponent(itemId)}`, { live })
  return (
    <Answer of={found} head={{ title: itemId, above: ['Catalogue', '/catalogue'], code: true }}>
      {(article) => <Shown article={article} />}
    </Answer>
  )
}
